"""Runs of another version are refused by name; the numbers of a finished one are printed."""

from __future__ import annotations

import dataclasses
import json
import random
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from export import saved_model
from tests.music_files import smf
from train import char_lm, evaluate, polyphonic_music, sample
from train.data.tasks import TASKS
from train.engine.run_state import RunState
from train.engine.workdir import FORMAT
from train.runs.saved_run import read_run, saved_fields
from train.settings.parsing import parse_train_config
from train.support.digests import sha256_of
from train.support.errors import UserError, run_program
from train.support.files import read_json, write_json

MAINS = {"text": char_lm.main, "music": polyphonic_music.main}
STEPS = 40


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = random.Random(0)
    path = tmp_path_factory.mktemp("data") / "words.txt"
    path.write_text("\n".join(" ".join(rng.choices("abcdef", k=9)) for _ in range(150)))
    return path


def finished(folder: Path, task: str, dataset: Path, *flags: str) -> list[str]:
    """Leaves what a run leaves, but for its model; returns its flags."""
    flags = ("--dataset", str(dataset), "--workdir", str(folder), "--preset", "tiny", *flags)
    config = parse_train_config(TASKS[task], flags)
    folder.mkdir(parents=True)
    data = config.load()
    settings = {
        "format": FORMAT,
        "task": task,
        "train": config.to_dict(),
        "dataset_sha256": data.sha256,
        "model": config.model_config(**data.model_fields()).to_dict(),
    }
    write_json(folder / "config.json", settings)
    (folder / "model.keras").write_bytes(b"")
    (folder / "samples.txt").write_text("a b\n" * 10)
    unit = config.unit.name
    names = ("", "_stderr", "_given_length")
    test = {**{unit + name: 1.25 for name in names}, "num_sequences": 9, "num_samples": 4}
    parts = {f"reconstruction_{unit}": 0.5, f"kl_{unit}": 0.75}
    rolls = {"notes_per_step": 1.0, "held_share": 0.5}
    results = {
        "task": task,
        "model": config.model,
        "dataset_sha256": data.sha256,
        "preset": config.preset,
        "seed": config.seed,
        "test": {**test, **parts},
        "train": {"steps": STEPS, "epochs": 2.5},
        "samples": {"share_of_known_words": 0.5, "samples": rolls, "data": rolls},
    }
    write_json(folder / "results.json", results)
    return list(flags)


def rewrite(folder: Path, change: Any) -> None:
    config = read_json(folder / "config.json")
    change(config)
    write_json(folder / "config.json", config)


CHANGES = {
    "format 1": (lambda c: c.pop("format"), "config.json has format 1"),
    "a newer format": (lambda c: c.update(format=99), "config.json has format 99"),
    "a field that is gone": (lambda c: c["train"].update(power=2), "has train.power"),
    "no settings": (lambda c: c.update(train=None), "lacks train"),
    "a damaged format": (lambda c: c.update(format=[2]), r"its format is \[2\]"),
}
every_change = pytest.mark.parametrize(("change", "says"), CHANGES.values(), ids=CHANGES)


@every_change
def test_a_finished_run_prints_its_numbers_and_says_why_it_is_not_compared(
    text: Path, tmp_path: Path, change: Any, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = finished(tmp_path / "run", "text", text)
    char_lm.main(flags)
    usual = capsys.readouterr()
    assert usual.err == "" and "1.2500 +- 1.2500" in usual.out
    rewrite(tmp_path / "run", change)
    char_lm.main(flags)
    printed = capsys.readouterr()
    assert printed.out == usual.out
    assert printed.err.startswith("note: the settings cannot be compared (")
    assert says.replace("\\", "") in printed.err and printed.err.count("\n") == 1


def test_a_finished_run_of_music_with_the_dropouts_of_format_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "midi").mkdir()
    for i in range(8):
        notes = b"\0\x90" + bytes([40 + i]) + b"\x50\x60" + bytes([40 + i]) + b"\0"
        (tmp_path / "midi" / f"{i}.mid").write_bytes(smf(notes))
    flags = finished(tmp_path / "run", "music", tmp_path / "midi")
    rewrite(tmp_path / "run", lambda c: (c.pop("format"), c["train"].update(dropout=0.5)))
    polyphonic_music.main(flags)
    printed = capsys.readouterr()
    assert "notes held" in printed.out and "has format 1" in printed.err


def test_a_config_that_is_no_json_hides_no_numbers(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = finished(tmp_path / "run", "text", text)
    for content in ("", "null", "[]", '{"train": '):
        (tmp_path / "run" / "config.json").write_text(content)
        char_lm.main(flags)
        printed = capsys.readouterr()
        assert "1.2500 +- 1.2500" in printed.out and "config.json" in printed.err


@pytest.mark.parametrize(
    "more",
    [
        *(("--seed", "1"), ("--model", "lstm"), ("--preset", "small"), ("--max-steps", "50")),
        ("--epochs", "3"),
    ],
)
def test_what_is_not_that_run_is_refused(text: Path, tmp_path: Path, more: tuple) -> None:
    flags = finished(tmp_path / "run", "text", text)
    rewrite(tmp_path / "run", lambda c: c.pop("format"))
    with pytest.raises(UserError, match="has format 1"):
        char_lm.main([*flags, *more])
    with pytest.raises(UserError, match="has format 1"):
        polyphonic_music.main(flags)
    other = tmp_path / "other.txt"
    other.write_text(text.read_text() + "\nmore words")
    with pytest.raises(UserError, match="other data"):
        char_lm.main([*flags, "--dataset", str(other)])


def test_a_run_on_other_data_is_no_run_of_another_version(text: Path, tmp_path: Path) -> None:
    flags = finished(tmp_path / "run", "text", text)
    with pytest.raises(UserError, match="holds a run with other settings .task is text, not music"):
        polyphonic_music.main(flags)


@every_change
def test_an_unfinished_run_is_refused(text: Path, tmp_path: Path, change: Any, says: str) -> None:
    flags = finished(tmp_path / "run", "text", text)
    rewrite(tmp_path / "run", change)
    (tmp_path / "run" / "results.json").unlink()
    with pytest.raises(UserError, match=f"{says}.*train again in a new --workdir"):
        char_lm.main(flags)


@every_change
@pytest.mark.parametrize("main", [evaluate.main, sample.main, saved_model.main])
def test_programs_that_read_a_run_refuse_it_in_one_line(
    text: Path,
    tmp_path: Path,
    main: Any,
    change: Any,
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    finished(tmp_path / "run", "text", text)
    rewrite(tmp_path / "run", change)
    own = ["--out", str(tmp_path / "out"), "--name", "x"] if main is saved_model.main else []
    with pytest.raises(SystemExit) as stop:
        run_program(lambda: main([str(tmp_path / "run"), *own]))
    err = capsys.readouterr().err
    assert stop.value.code == 2 and err.count("\n") == 1
    assert says.replace("\\", "") in err and "train again in a new --workdir" in err


def test_unknown_fields_of_the_model_are_refused_too(text: Path, tmp_path: Path) -> None:
    flags = finished(tmp_path / "run", "text", text)
    rewrite(tmp_path / "run", lambda config: config["model"].update(power=2))
    with pytest.raises(UserError, match="has model.power"):
        evaluate.main([str(tmp_path / "run")])
    char_lm.main(flags)  # What is printed does not need them.


def test_a_run_from_before_a_field_was_trained_with_its_default(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = finished(tmp_path / "run", "text", text)
    whole = read_run(tmp_path / "run")

    def change(config: dict[str, Any]) -> None:
        for section, field in (("train", "jit"), ("train", "clip_norm"), ("model", "dropout")):
            del config[section][field]

    rewrite(tmp_path / "run", change)
    assert read_run(tmp_path / "run") == dataclasses.replace(whole, source=ANY)
    char_lm.main(flags)
    printed = capsys.readouterr()
    assert printed.err == "" and "1.2500 +- 1.2500" in printed.out
    with pytest.raises(UserError, match="other settings .clip_norm is 0.25, not 2.0"):
        char_lm.main([*flags, "--clip-norm", "2"])


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [
        *(("model", "latent_size", "8"), ("model", "dropout", None), ("model", "scalar", 3)),
        *(("model", "made_sizes", 5), ("model", "made_sizes", [8, "8"]), ("train", "jit", 1)),
        *(("train", "batch_size", "8"), ("train", "data_dir", 7), ("train", "seed", True)),
    ],
)
def test_a_field_of_another_type_is_refused_by_its_name(
    text: Path, tmp_path: Path, section: str, field: str, value: object
) -> None:
    finished(tmp_path / "run", "text", text)
    rewrite(tmp_path / "run", lambda config: config[section].update({field: value}))
    message = (
        f"cannot use .*config.json .*expected {field} of type [a-z]+.*; got .*: use the program"
    )
    with pytest.raises(UserError, match=message):
        evaluate.main([str(tmp_path / "run")])


def test_a_change_of_the_state_counts_the_format_up() -> None:
    state = RunState().to_dict()
    names = json.dumps([list(state), list(state["plateau"])])
    # Other names, and a run of before cannot go on: count FORMAT up, and write the new digest.
    assert (FORMAT, sha256_of([names.encode()])[:12]) == (6, "35bc75997e98")


@pytest.mark.parametrize("task", TASKS)
def test_every_setting_has_a_default_which_a_run_from_before_it_takes(task: str) -> None:
    kind, fields = TASKS[task], saved_fields(TASKS[task])
    assert fields["train"].keys() == kind.from_preset().to_dict().keys()
    assert kind.from_dict(json.loads(json.dumps(fields["train"]))) == kind()
