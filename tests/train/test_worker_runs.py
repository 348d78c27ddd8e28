"""The training programs in several processes: who may join, and that they train what one does."""

from __future__ import annotations

import random
import re
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from tests.models import LEAST_FLOW
from tests.train.programs.text_runs import sentences
from tests.worker_processes import start_by_flags, wait_for_step
from train import char_lm, polyphonic_music
from train.data.music.midi import write_midi
from train.engine.workdir import Workdir
from train.runs.saved_model import load_model
from train.support.files import read_json

SMALL = (
    *("--preset", "tiny", "--max-steps", "8", "--checkpoint-steps", "2", "--log-steps", "2"),
    *("--eval-every", "4", "--kl-zero", "1", "--kl-ramp", "2", "--test-samples", "2"),
)
# The least model, and one whose loops XLA compiles; a step of several batches; the music's units.
# The last is the number of processes that go on with the run.
RUNS = {
    "text": ("train.char_lm", (*LEAST_FLOW, "--accumulation-steps", "2"), 1),
    "compiled loops": ("train.char_lm", ("--model", "af-af"), 2),
    "compiled step": ("train.char_lm", (*LEAST_FLOW, "--jit"), 2),
    "music": ("train.polyphonic_music", LEAST_FLOW, 2),
}
MAINS = {"train.char_lm": char_lm.main, "train.polyphonic_music": polyphonic_music.main}


def write_data(folder: Path, program: str) -> Path:
    rng = random.Random(0)
    if program == "train.char_lm":
        path = folder / "words.txt"
        lines = sentences(rng, 60, ["a", "cat", "sees"], most=5)
        path.write_text("\n".join(lines), encoding="utf-8")
        return path
    path = folder / "pieces"
    path.mkdir()
    for i in range(30):
        roll = np.random.default_rng(i).random((rng.randint(4, 9), 88)) < 0.05
        roll[0, 40] = True
        write_midi(path / f"{i}.mid", roll.astype(np.uint8))
    return path


def weights_of(workdir: Path) -> np.ndarray:
    """All weights of a finished run."""
    model = load_model(Workdir(workdir))
    return np.concatenate([v.numpy().ravel() for v in model.trainable_variables])


def test_other_flags_or_data_are_refused_before_the_first_step(tmp_path: Path) -> None:
    data = write_data(tmp_path, "train.char_lm")
    shutil.copy(data, tmp_path / "moved.txt")  # Where the data are may differ.
    (tmp_path / "other.txt").write_text(data.read_text() + "\na dog", encoding="utf-8")
    chief, moved, other = (
        ["train.char_lm", "--dataset", str(tmp_path / name), "--workdir", "run", *SMALL, *more]
        for name, more in (
            (data.name, ()),
            ("moved.txt", ("--workdir", "elsewhere")),
            ("other.txt", ("--batch-size", "5")),
        )
    )
    ended = [worker.wait() for worker in start_by_flags([chief, moved, other], tmp_path)]
    assert [status for status, *_ in ended] == [2, 2, 2]
    assert [out for _, out, _ in ended[1:]] == ["", ""]
    (line,) = {err for *_, err in ended}
    assert re.fullmatch(
        r"error: worker 2 \(127.0.0.1:\d+\) differs from the chief: .*batch_size is 5, not 8; "
        r"other data;.* start all with the same flags, data and version\n",
        line,
    )
    assert not (tmp_path / "run").exists()


def test_what_the_chief_refuses_ends_the_others_with_its_line(tmp_path: Path) -> None:
    data = write_data(tmp_path, "train.char_lm")
    command = ["train.char_lm", "--dataset", str(data), "--workdir", str(tmp_path), *SMALL]
    chief, worker = (worker.wait() for worker in start_by_flags([command] * 2, tmp_path))
    assert (chief[0], worker[0]) == (2, 2)
    assert chief[2].startswith(f"error: {tmp_path} holds other files")
    assert re.match(rf"error: the chief \(.*\) has ended: {tmp_path} holds other", worker[2])
    assert worker[2].count("\n") == 1


@pytest.mark.nightly
@pytest.mark.parametrize("name", RUNS)
def test_several_train_what_one_trains(name: str, tmp_path: Path) -> None:
    """The chief of three is killed; fewer go on from a checkpoint and test the model."""
    program, flags, number = RUNS[name]
    data = write_data(tmp_path, program)
    command = [program, "--dataset", str(data), *SMALL, *flags]
    MAINS[program]([*command[1:], "--workdir", str(tmp_path / "one")])
    several = [*command, "--workdir", str(tmp_path / "several")]
    chief, *others = start_by_flags([several] * 3, tmp_path)
    wait_for_step(chief, tmp_path / "several", 4)
    chief.process.kill()
    for worker in others:
        status, out, err = worker.wait(60)
        assert (status, out) == (2, "")
        assert re.fullmatch(r"error: the chief \(.*\) has ended; the same command .*\n", err)
    assert chief.wait()[0] == -signal.SIGKILL
    chief, *others = (w.wait() for w in start_by_flags([several] * number, tmp_path))
    assert others == [(0, "", "")] * (number - 1)
    assert (chief[0], chief[2]) == (0, "")
    one, found = (read_json(tmp_path / folder / "results.json") for folder in ("one", "several"))
    assert found["train"]["resumed_from_steps"][0] >= 4
    known = {name: value for name, value in one["test"].items() if value is not None}
    assert {name: v for name, v in found["test"].items() if v is not None} == pytest.approx(
        known, rel=1e-4
    )
    weights = (weights_of(tmp_path / folder) for folder in ("several", "one"))
    np.testing.assert_allclose(*weights, atol=1e-5)
    # All know that it has finished.
    chief, worker = (w.wait() for w in start_by_flags([several] * 2, tmp_path))
    assert (chief[0], worker) == (0, (0, "", ""))
    assert "this run has finished" in chief[1]
