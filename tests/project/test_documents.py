"""Every code block of the README and the guides is run, in order, in one folder and process.

Python blocks run as they are, each on its own. Lines of bash blocks go by the table `COMMANDS`: a
`python -m` line calls that program's `main` with the line's flags and what its row adds, and a line
that no row knows fails, as does a block in another language.
"""

from __future__ import annotations

import importlib
import json
import re
import shlex
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from scipy.io import savemat

from export import pretrained, saved_model, serve
from export.versions import version_folders
from tests.models import LEAST_FLAGS
from tests.paths import ROOT
from tf_latentflow.pretrained.names import pretrained_table
from train import benchmark, char_lm, evaluate, polyphonic_music, reproduce, sample, score
from train.data.music import chorales
from train.data.music.config import MusicConfig
from train.data.music.midi import write_midi
from train.data.tasks import TASKS
from train.data.text.config import TextConfig
from train.engine.results_table import results_table
from train.paper.experiments import FIGURES, TABLES
from train.paper.runs import Runs
from train.runs.saved_run import read_run
from train.samples.flags import SampleConfig
from train.samples.given import read_given
from train.samples.ways import way_of
from train.settings.config import TrainConfig
from train.settings.parsing import parse_train_config
from train.support.files import read_json, write_json
from train.support.flags import parse_flags
from train.support.units import BITS_PER_CHARACTER

README = ROOT / "README.md"
# Pages with code, in the order in which they are run; each builds on the runs of those before.
GUIDES = (
    README,
    *(
        ROOT / "docs" / f"{name}.md"
        for name in (
            *("TRAINING", "EVALUATION", "PRETRAINED", "MODEL", "LIBRARY", "BIJECTORS"),
            *("SCALAR_MAP", "PAPER"),
        )
    ),
)

# What is added to the line of a training; the last of two flags counts. Its workdir stays the one
# that the line as written has.
SMALL_RUN = (
    *("--preset", "tiny", "--max-steps", "2", "--kl-zero", "0", "--kl-ramp", "1"),
    *("--eval-every", "2", "--valid-sequences", "4", "--test-samples", "1", "--batch-size", "32"),
)
# `train.evaluate` with fewer samples, for its time.
FEW_SAMPLES = ("--samples", "1")
# The user's own data, which the page calls so.
MY_TEXT = "my_text.txt"
MY_MIDI = "my_midi"
PTB = "ptb"
MUSIC = "music"
RUN_LENGTH = {"steps": 1, "wall_seconds": 60}
# Datasets on which a run is only prepared, for its time: flags and data are read, and that is all.
ONLY_PREPARED = ("ptb", "jsb", MY_MIDI)


# The columns of the table of rows.
CHOICES = ("inference", "emitter", "scalar", "hidden", "time", "conditioner_input")


class Block(NamedTuple):
    line: int
    language: str
    code: str


def blocks(text: str) -> list[Block]:
    fences = re.finditer(r"^```([^\n]*)\n(.*?)^```[ ]*$", text, re.MULTILINE | re.DOTALL)
    return [Block(text.count("\n", 0, m.start()) + 1, m[1].strip(), m[2]) for m in fences]


def commands(code: str) -> list[list[str]]:
    """The commands of a bash block, as lists of words; a backslash continues a line."""
    lines = code.replace("\\\n", " ").splitlines()
    parts = [part for line in lines if line.strip() for part in line.split("&&")]
    return [shlex.split(part, comments=True) for part in parts if not part.lstrip().startswith("#")]


def run_training(
    kind: type[TrainConfig], main: Callable[[list[str]], None], flags: list[str]
) -> None:
    if {"--help", "--show-config"} & set(flags):
        with pytest.raises(SystemExit) as exit_info:
            main(flags)
        assert exit_info.value.code == 0
        return
    config = parse_train_config(kind, flags)
    if config.dataset in ONLY_PREPARED:
        assert config.load().test
        return
    workdir = config.run_directory
    # The row of the first command stays as it is; the others take half a minute each to trace.
    small = SMALL_RUN if config.model == TextConfig.model else (*SMALL_RUN, *LEAST_FLAGS)
    main([*flags, *small, "--workdir", str(workdir)])
    assert (workdir / "results.json").exists()


def run_char_lm(flags: list[str]) -> None:
    run_training(TextConfig, char_lm.main, flags)


def run_polyphonic_music(flags: list[str]) -> None:
    run_training(MusicConfig, polyphonic_music.main, flags)


def check_reproduce(flags: list[str]) -> None:
    """Its runs are those of the table, which is made of their results; nothing is trained.

    `tests/train/paper/test_reproduce.py` trains a table, and other tests draw the figures.
    """
    config = parse_flags(reproduce.ReproduceConfig, "python -m train.reproduce", flags)
    if config.what in FIGURES:
        assert callable(importlib.import_module(FIGURES[config.what].module).draw)
        return
    table = TABLES[config.what]
    unit = TASKS[table.task].unit.name
    assert config.data_dir and any(config.data_dir.iterdir())
    runs = Runs(config.out, config.scale, config.data_dir)
    for row in table.rows:
        if row.run is not None and row.dataset in (config.datasets or (row.dataset,)):
            workdir = runs.workdir(row.run, 0)
            workdir.mkdir(parents=True, exist_ok=True)
            test = dict.fromkeys((unit, f"kl_{unit}", f"reconstruction_{unit}"), 1.0)
            results = {"test": {**test, f"{unit}_stderr": 0.1}, "train": RUN_LENGTH}
            write_json(workdir / "results.json", results)
    reproduce.main(flags)
    assert "not run" not in (config.out / f"{config.what}-{config.scale}.md").read_text()


def run_evaluate(flags: list[str]) -> None:
    evaluate.main([*flags, *FEW_SAMPLES])


def run_sample(flags: list[str]) -> None:
    """New samples are drawn. What is made from something could be; other tests make it."""
    config = parse_flags(SampleConfig, "python -m train.sample", flags)
    if not way_of(config).field:
        sample.main(flags)
        return
    run = read_run(config.model)
    config.check(run.model_config, run.config.unit)
    assert read_given(config, run.model_config, run.config).sequences


def check_score(flags: list[str]) -> None:
    """Its files are there; `tests/train/test_score.py` runs it."""
    config = parse_flags(score.ScoreConfig, "python -m train.score", flags)
    assert config.file.exists() and read_run(config.model)


def check_pip(arguments: list[str]) -> None:
    assert arguments[0] == "install"
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    # `.ci/run` installs with the tests' extra what `pip install .` installs without.
    assert arguments[1:] in (["."], [".[test]"], [".[music]"], [".[serving]"])
    assert "pip install '.[test]'" in lines


def check_pytest(arguments: list[str]) -> None:
    assert arguments == []
    assert 'pytest "$@"' in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def run_saved_model(flags: list[str]) -> None:
    """Few samples, for its time; a run of the same name is served by the next line."""
    saved_model.main([*flags, "--score-samples", "1"])


def check_serve(flags: list[str]) -> None:
    """What it would load is there; `tests/export/test_export_and_serve.py` starts a server."""
    config = parse_flags(serve.ServeConfig, "python -m export.serve", flags)
    assert version_folders(config.model_base_path)


def check_curl(arguments: list[str]) -> None:
    """What it sends is a request to `generate`, at the port and to the model of the line before."""
    flag, body, url = arguments
    (row,) = json.loads(body)["instances"]
    assert (flag, list(row)) == ("-d", ["length", "seed", "temperature"])
    assert url.startswith(f"http://127.0.0.1:{serve.ServeConfig.rest_port}/v1/models/")
    assert version_folders(Path("served", url.rpartition("/")[2].removesuffix(":predict")))


def check_benchmark(flags: list[str]) -> None:
    """Its flags are right; `tests/train/test_benchmark.py` runs it."""
    parse_flags(benchmark.BenchmarkConfig, "python -m train.benchmark", flags)


def check_tensorboard(arguments: list[str]) -> None:
    """Its flags are right and its folder has event files; no server is started."""
    from tensorboard import program

    (script,) = entry_points(group="console_scripts", name="tensorboard")
    assert script.load()
    board = program.TensorBoard()
    board.configure(argv=["tensorboard", *arguments])
    assert list(Path(board.flags.logdir).rglob("events.out.tfevents.*"))


# First words of a command, and what is done with the others.
COMMANDS: dict[tuple[str, ...], Callable[[list[str]], None]] = {
    ("python", "-m", "train.char_lm"): run_char_lm,
    ("python", "-m", "train.polyphonic_music"): run_polyphonic_music,
    ("python", "-m", "train.reproduce"): check_reproduce,
    ("python", "-m", "train.benchmark"): check_benchmark,
    ("python", "-m", "train.evaluate"): run_evaluate,
    ("python", "-m", "train.sample"): run_sample,
    ("python", "-m", "train.score"): check_score,
    ("python", "-m", "export.saved_model"): run_saved_model,
    ("python", "-m", "export.pretrained"): pretrained.main,
    ("python", "-m", "export.serve"): check_serve,
    ("curl",): check_curl,
    ("pip",): check_pip,
    ("pytest",): check_pytest,
    ("tensorboard",): check_tensorboard,
}


def run_bash(code: str) -> None:
    for words in commands(code):
        for start, action in COMMANDS.items():
            if tuple(words[: len(start)]) == start:
                action(words[len(start) :])
                break
        else:
            raise ValueError(f"expected a command of {list(COMMANDS)}; got {words}")


def run_python(code: str) -> None:
    # Without this module's future imports.
    exec(compile(code, str(README), "exec", dont_inherit=True), {"__name__": "__main__"})


def check_output(code: str) -> None:
    """Output that the page shows is that of the first command: its folder, its test table."""
    labels = "bpc|reconstruction|KL|bpc given length|sentences|unknown characters|known words"
    shown = re.findall(rf"^({labels}) +[-\d].*?  (\S.*)$", code, re.MULTILINE)
    (workdir,) = re.findall(r"^the run is in (\S+)$", code, re.MULTILINE)
    assert workdir == str(TextConfig.from_preset().run_directory)
    results = read_json(Path(workdir, "results.json"))["test"]
    printed = results_table("test", {**results, "num_samples": 50}, BITS_PER_CHARACTER)
    printed = printed.splitlines()[1:]
    printed.append(f"{'known words':<20}{0.5:>18.3f}  of the words in 200 samples")
    assert [name for name, _ in shown] == labels.split("|")
    assert [note for _, note in shown] == [line[40:] for line in printed]


PAGES = (README, *ROOT.glob("C*.md"), *(ROOT / "docs").glob("*.md"))
LANGUAGES: dict[str, Callable[[str], None]] = {
    "bash": run_bash,
    "python": run_python,
    "text": check_output,
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the data that the page supposes the user to have."""
    lines = [f"the {a} sees {n} mice" for a in ("cat", "dog", "owl", "fox") for n in range(50)]
    (tmp_path / MY_TEXT).write_text("\n".join(lines), encoding="utf-8")
    about = "".join(f'{name} = "x"\n' for name in ("description", "data", "license", "limits"))
    (tmp_path / "about.toml").write_text(about, encoding="utf-8")
    (tmp_path / PTB).mkdir()
    for split in ("train", "valid", "test"):
        (tmp_path / PTB / f"{split}.txt").write_text(f" words of {split} \n", encoding="utf-8")
    (tmp_path / MUSIC).mkdir()
    cells = np.empty([1, 1], object)
    cells[0, 0] = np.eye(88, dtype=np.uint8)[20:40]
    keys = ("traindata", "validdata", "testdata")
    savemat(tmp_path / MUSIC / "JSB_Chorales.mat", dict.fromkeys(keys, cells))
    (tmp_path / MY_MIDI).mkdir()
    for i, name in enumerate(("song", "a", "b")):
        write_midi(tmp_path / MY_MIDI / f"{name}.mid", np.eye(88, dtype=np.uint8)[20 : 40 + i])
    # A part of the chorales, for its time, which is not kept for other programs.
    files = chorales._corpus_files()[:40]
    monkeypatch.setattr(chorales, "_corpus_files", lambda: files)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def flags_of(kind: type) -> Callable[[list[str]], object]:
    return lambda flags: parse_flags(kind, "program", flags)


# What a command's flags are parsed by, without doing anything.
PARSERS: dict[str, Callable[[list[str]], object]] = {
    "train.char_lm": lambda flags: prepare(TextConfig, flags),
    "train.polyphonic_music": lambda flags: prepare(MusicConfig, flags),
    "train.reproduce": flags_of(reproduce.ReproduceConfig),
    "train.benchmark": flags_of(benchmark.BenchmarkConfig),
    "train.evaluate": flags_of(evaluate.EvaluateConfig),
    "train.sample": flags_of(sample.SampleConfig),
    "train.score": flags_of(score.ScoreConfig),
    "export.saved_model": flags_of(saved_model.ExportConfig),
    "export.pretrained": flags_of(pretrained.PretrainedConfig),
    "export.serve": flags_of(serve.ServeConfig),
}


def prepare(kind: type[TrainConfig], flags: list[str]) -> None:
    if "--init-from" in flags:
        return  # It would read that model.
    if {"--help", "--show-config"} & set(flags):
        with pytest.raises(SystemExit) as exit_info:
            parse_train_config(kind, flags)
        assert exit_info.value.code == 0
    else:
        parse_train_config(kind, flags)


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_every_command_has_its_flags(page: Path) -> None:
    """What `test_every_code_block_runs` does at night, without doing it."""
    for block in blocks(page.read_text(encoding="utf-8")):
        assert block.language in LANGUAGES, block
        if block.language == "python":
            compile(block.code, page.name, "exec")
        for words in commands(block.code) if block.language == "bash" else ():
            if words[:2] == ["python", "-m"]:
                PARSERS[words[2]](words[3:])
            else:
                assert any(tuple(words[: len(start)]) == start for start in COMMANDS), words


@pytest.mark.nightly
def test_every_code_block_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for page in GUIDES:
        for block in blocks(page.read_text(encoding="utf-8")):
            where = f"{page.name}, line {block.line}"
            assert block.language in LANGUAGES, f"{where}: no code runs {block.language!r}"
            try:
                LANGUAGES[block.language](block.code)
            except (Exception, SystemExit) as error:
                pytest.fail(f"{where}: {type(error).__name__}: {error}")
    assert not re.search(r"\b(nan|inf)\b", capsys.readouterr().out)


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_every_fence_is_a_block(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(re.findall(r"^\s*(```|~~~)", text, re.MULTILINE)) == 2 * len(blocks(text))


def test_unknown_commands_and_languages_are_refused() -> None:
    with pytest.raises(ValueError, match="rm"):
        run_bash("rm -r runs\n")
    assert [b.language for b in blocks("```julia\nx\n```\n")] == ["julia"]
    assert "julia" not in LANGUAGES


def test_the_commands_that_people_try_stand_first() -> None:
    first, music, _, training, tests, *_ = blocks(README.read_text(encoding="utf-8"))
    assert first.code == "pip install . && python -m train.sample python-reference -n 5\n"
    assert music.code.startswith("pip install '.[music]' && python -m train.sample chorales ")
    assert training.code.startswith("python -m train.char_lm\npython -m train.polyphonic_music\n")
    assert tests.code == "pip install '.[test]' && pytest\n"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_and_headings_are_right(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if not link.startswith(("http://", "https://")):
            name, _, anchor = link.partition("#")
            target = page.parent / name if name else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    """Of the headings of a page, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_table_of_pretrained_models_is_made_of_their_cards() -> None:
    text = (ROOT / "docs" / "PRETRAINED.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^<!-- .* --list: -->\n(.*?)\n<!-- End", text, re.MULTILINE | re.DOTALL)
    assert shown == pretrained_table()


def test_the_table_of_rows_is_the_table_of_the_code() -> None:
    from tf_latentflow import MODEL_NAMES, ModelConfig

    text = (ROOT / "docs" / "MODELS.md").read_text(encoding="utf-8")
    cells = r"\|([^|]*)" * len(CHOICES)
    rows = re.findall(rf"^\| `([a-z-]+)` {cells}\|[^|]*\|$", text, re.M)
    shown = {name: tuple(c.strip(" `") or None for c in choices) for name, *choices in rows}
    configs = {name: ModelConfig.from_name(name) for name in MODEL_NAMES}
    expected = {}
    for name, config in configs.items():
        values = {choice: getattr(config, choice) for choice in CHOICES}
        if config.conditioner is None:  # And so nothing that reads.
            values["conditioner_input"] = None
        expected[name] = tuple(values.values())
    assert shown == expected
