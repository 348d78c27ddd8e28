"""Bad input to the programs on text: one message, status 2, and nothing is changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import tensorflow as tf

from tests.finished_runs import finish_run
from tests.models import LEAST_FIELDS, make_model
from tests.train.programs.refusals import refusal
from train import char_lm, evaluate, sample
from train.data.text.config import TextConfig
from train.engine.workdir import FORMAT, Workdir
from train.runs.saved_model import load_model, weights_sha256
from train.support.errors import UserError, run_program
from train.support.files import write_json

# Program, flags ({data}, {run}, {tmp} are replaced), and what the message says.
BAD_INPUT = {
    "no such dataset": ("char_lm", "--dataset {tmp}/none.txt", "none.txt"),
    "empty dataset": ("char_lm", "--dataset {tmp}/empty.txt", "empty.txt"),
    "not UTF-8": ("char_lm", "--dataset {tmp}/latin1.txt", "UTF-8"),
    "binary": ("char_lm", "--dataset {tmp}/binary.txt", "binary"),
    "no ptb": ("char_lm", "--dataset ptb --data-dir {tmp}", "train.txt"),
    "workdir not writable": ("char_lm", "--dataset {data} --workdir /proc/x/y", "--workdir"),
    "workdir is a file": ("char_lm", "--dataset {data} --workdir {tmp}/binary.txt", "--workdir"),
    "workdir of others": ("char_lm", "--dataset {data} --workdir {tmp}", "--workdir"),
    "no batch": ("char_lm", "--batch-size 0", "--batch-size"),
    "negative steps": ("char_lm", "--max-steps -5", "--max-steps"),
    "infinite step size": ("char_lm", "--learning-rate inf", "--learning-rate"),
    "no number": ("char_lm", "--batch-size many", "--batch-size"),
    "no value": ("char_lm", "--epochs", "--epochs"),
    "unknown flag": ("char_lm", "--depth 3", "--depth"),
    "unknown preset": ("char_lm", "--preset huge", "tiny, small, paper"),
    "unknown model": ("char_lm", "--dataset {data} --model gru --workdir {tmp}/new", "af-scf"),
    "evaluate no run": ("evaluate", "{tmp}", "is neither a run nor a pretrained model"),
    "evaluate half a run": ("evaluate", "{tmp}/half", "half is a run without its file config.json"),
    "evaluate no split": ("evaluate", "{run} --split dev", "valid"),
    "evaluate no samples": ("evaluate", "{run} --samples 0", "--samples"),
    "sample no run": ("sample", "{tmp}/none", "none does not exist"),
    "sample no user": ("sample", "~nobody-here/run", "~nobody-here/run does not exist"),
    "data of no user": ("char_lm", "--dataset ~nobody-here/text.txt", "~nobody-here/text.txt"),
    "sample none": ("sample", "{run} -n 0", "-n"),
    "sample too long": ("sample", "{run} --length 289", "288"),
    "sample too cold": ("sample", "{run} --temperature -1", "--temperature"),
    "sample too hot": ("sample", "{run} --temperature 1001", "--temperature"),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run, untrained."""
    model = make_model("af-only", **LEAST_FIELDS, vocabulary=tuple("abcd"), max_length=288)
    return finish_run(tmp_path_factory.mktemp("run"), model, TextConfig.from_preset("tiny"))


@pytest.mark.parametrize(("program", "flags", "says"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_exits_2_with_one_message_and_changes_nothing(
    program: str,
    flags: str,
    says: str,
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.txt").write_text("".join(f"a cat sees {i} dogs\n" for i in range(150)))
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "model.keras").write_bytes(b"")
    (tmp_path / "latin1.txt").write_bytes("caf\xe9 au lait\n".encode("latin-1"))
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)) * 4)
    main = {"char_lm": char_lm.main, "evaluate": evaluate.main, "sample": sample.main}[program]
    args = flags.format(data=tmp_path / "words.txt", run=run, tmp=tmp_path).split()
    assert says in refusal(main, args, capsys, tmp_path, run)


def test_an_unfinished_run_cannot_be_evaluated(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(run / "config.json", tmp_path)
    for main in (evaluate.main, sample.main):
        with pytest.raises(SystemExit):
            run_program(lambda main=main: main([str(tmp_path)]))
        assert "has not finished" in capsys.readouterr().err


def test_a_run_of_no_known_kind_is_refused(tmp_path: Path) -> None:
    for task in ('"tables"', "null", "[]", "{}"):
        (tmp_path / "config.json").write_text(f'{{"format": {FORMAT}, "task": {task}}}')
        with pytest.raises(UserError, match="text, music"):
            evaluate.main([str(tmp_path)])


@pytest.mark.parametrize("letters", ["abcd", "dcba"], ids=["other weights", "another config"])
def test_the_model_of_another_run_is_refused(run: Path, tmp_path: Path, letters: str) -> None:
    folder = shutil.copytree(run, tmp_path / "run")
    sha256 = weights_sha256(load_model(Workdir(run)))
    results = {"test": {}, "train": {"weights_sha256": sha256}, "samples": {}}
    write_json(folder / "results.json", results)
    load_model(Workdir(folder))
    other = make_model("af-only", **LEAST_FIELDS, vocabulary=tuple(letters), max_length=288)
    other.trainable_variables[0].assign_add(tf.ones_like(other.trainable_variables[0]))
    other.save(folder / "model.keras")
    says = "results.json is about" if letters == "abcd" else "config.json describes"
    with pytest.raises(UserError, match=rf"model\.keras is not the model that .*{says}: restore"):
        load_model(Workdir(folder))
