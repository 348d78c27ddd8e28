"""Runs the commands of the documents: a table of what is done with each.

A `python -m` line calls that program's `main` with the line's flags and what its row adds. A line
that no row knows is refused, as is a block in another language.
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

import pytest

from export import pretrained, saved_model, serve
from export.versions import version_folders
from tests.models import LEAST_FLAGS
from tests.paths import ROOT
from train import char_lm, curves, evaluate, polyphonic_music, reproduce, sample, score
from train.benchmark.__main__ import BenchmarkConfig
from train.data.music.config import MusicConfig
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
from train.support.files import read_json, write_json, write_text
from train.support.flags import parse_flags
from train.support.units import BITS_PER_CHARACTER

README = ROOT / "README.md"
# What is added to the line of a training; the last of two flags counts. Its workdir stays the one
# that the line as written has.
SMALL_RUN = (
    *("--preset", "tiny", "--max-steps", "2", "--kl-zero", "0", "--kl-ramp", "1"),
    *("--eval-every", "2", "--valid-sequences", "4", "--test-samples", "1", "--batch-size", "32"),
)
# `train.evaluate` with fewer samples, for its time.
FEW_SAMPLES = ("--samples", "1")
MY_TEXT = "my_text.txt"
MY_MIDI = "my_midi"
PTB = "ptb"
MUSIC = "music"
RUN_LENGTH = {"steps": 1, "wall_seconds": 60}
# Datasets on which a run is only prepared, for its time: flags and data are read, and that is all.
ONLY_PREPARED = ("ptb", "jsb", MY_MIDI)


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
    if figure := FIGURES.get(config.what):
        assert callable(importlib.import_module(figure.module).draw)
        return
    table = TABLES[config.what]
    unit = TASKS[table.task].unit
    assert any(config.data_dir.iterdir())
    runs = Runs(config.out, config.scale, config.data_dir)
    for row in table.rows:
        if row.run is not None and row.dataset in (config.datasets or (row.dataset,)):
            workdir = runs.workdir(row.run, 0)
            workdir.path.mkdir(parents=True, exist_ok=True)
            names = (unit.name, unit.kl, unit.reconstruction, unit.stderr)
            results = {"test": dict.fromkeys(names, 1.0), "train": RUN_LENGTH, "samples": {}}
            write_json(workdir.config_file, {"train": {"dataset": row.dataset}})
            write_json(workdir.results_file, results)
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
    config.check_values()
    config.check(run.model_config, run.config.unit)
    assert read_given(config.resolved(), run.model_config, run.config).sequences


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
    """What it would load is there; `tests/export/end_to_end` starts a server."""
    config = parse_flags(serve.ServeConfig, "python -m export.serve", flags)
    assert version_folders(config.model_base_path)


def check_curl(arguments: list[str]) -> None:
    """What it sends is a request to `generate`, at the port and to the model of the line before."""
    flag, body, url = arguments
    (row,) = json.loads(body)["instances"]
    assert (flag, list(row)) == ("-d", ["length", "seed", "temperature"])
    assert url.startswith(f"http://127.0.0.1:{serve.ServeConfig.rest_port}/v1/models/")
    assert version_folders(Path("served", url.rpartition("/")[2].removesuffix(":predict")))


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
    # `tests/train/test_benchmark.py` runs it.
    ("python", "-m", "train.benchmark"): lambda flags: parse_flags(BenchmarkConfig, "", flags),
    ("python", "-m", "train.evaluate"): run_evaluate,
    ("python", "-m", "train.sample"): run_sample,
    ("python", "-m", "train.score"): check_score,
    ("python", "-m", "train.curves"): curves.main,
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
    results = {**read_json(Path(workdir, "results.json"))["test"], "num_samples": 50}
    printed = results_table("test", results, BITS_PER_CHARACTER).splitlines()[1:]
    printed.append(f"{'known words':<20}{0.5:>18.3f}  of the words in 200 samples")
    assert [name for name, _ in shown] == labels.split("|")
    assert [note for _, note in shown] == [line[40:] for line in printed]


LANGUAGES: dict[str, Callable[[str], None]] = {
    "bash": run_bash,
    "python": run_python,
    "text": check_output,
    "toml": lambda code: write_text(Path("about.toml"), code),
}
