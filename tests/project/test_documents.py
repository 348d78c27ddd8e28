"""The code blocks of the README and the guides run; links lead somewhere; tables are the code's.

Blocks are run in order, in one folder and process. Python blocks run as they are, each on its own;
`tests.project.document_commands` has what is done with the lines of bash blocks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from bijectors.tables import SCALAR_MAPS
from export import pretrained, saved_model, serve
from tests.paths import ROOT
from tests.project.document_commands import (
    COMMANDS,
    LANGUAGES,
    MUSIC,
    MY_MIDI,
    MY_TEXT,
    PTB,
    README,
    blocks,
    commands,
    run_bash,
)
from tf_latentflow.pretrained.names import pretrained_table
from train import curves, evaluate, reproduce, sample, score
from train.benchmark.__main__ import BenchmarkConfig
from train.data.music import chorales
from train.data.music.config import MusicConfig
from train.data.music.midi import write_midi
from train.data.text.config import TextConfig
from train.settings.config import TrainConfig
from train.settings.parsing import parse_train_config
from train.support.flags import parse_flags

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
PAGES = (README, *ROOT.glob("C*.md"), *(ROOT / "docs").glob("*.md"))
# The columns of the table of rows.
CHOICES = ("inference", "emitter", "scalar", "hidden", "time", "conditioner_input")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the data that the page supposes the user to have."""
    lines = [f"the {a} sees {n} mice" for a in ("cat", "dog", "owl", "fox") for n in range(50)]
    (tmp_path / MY_TEXT).write_text("\n".join(lines), encoding="utf-8")
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
    # A page adds an entry.
    monkeypatch.setattr(SCALAR_MAPS, "_places", dict(SCALAR_MAPS._places))
    return tmp_path


def flags_of(kind: type) -> Callable[[list[str]], object]:
    return lambda flags: parse_flags(kind, "program", flags)


# What a command's flags are parsed by, without doing anything.
PARSERS: dict[str, Callable[[list[str]], object]] = {
    "train.char_lm": lambda flags: prepare(TextConfig, flags),
    "train.polyphonic_music": lambda flags: prepare(MusicConfig, flags),
    "train.reproduce": flags_of(reproduce.ReproduceConfig),
    "train.benchmark": flags_of(BenchmarkConfig),
    "train.evaluate": flags_of(evaluate.EvaluateConfig),
    "train.sample": flags_of(sample.SampleConfig),
    "train.score": flags_of(score.ScoreConfig),
    "train.curves": flags_of(curves.CurvesConfig),
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
    rows = re.findall(rf"^\| `([a-z0-9_-]+)` {cells}\|[^|]*\|$", text, re.M)
    shown = {name: tuple(c.strip(" `") or None for c in choices) for name, *choices in rows}
    configs = {name: ModelConfig.from_name(name) for name in MODEL_NAMES}
    expected = {}
    for name, config in configs.items():
        values = {choice: getattr(config, choice) for choice in CHOICES}
        if config.conditioner is None:  # And so nothing that reads.
            values["conditioner_input"] = None
        expected[name] = tuple(values.values())
    assert shown == expected
