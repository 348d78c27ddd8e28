"""Learning curves of runs as one picture."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf

from train import curves
from train.backend.board import Board
from train.data.tasks import TASKS
from train.engine.workdir import FORMAT, Workdir
from train.support.errors import UserError
from train.support.files import write_json

LOSSES = {10: 3.0, 20: 2.0, 30: 2.5}


def run(path: Path, task: str = "text", seconds: float = 6.0) -> str:
    """Leaves what a training leaves of its validations, one every `seconds`."""
    path.mkdir()
    write_json(path / "config.json", {"format": FORMAT, "task": task})
    unit = TASKS[task].unit
    board = Board(Workdir(path).tensorboard, unit)
    for i, (step, loss) in enumerate(LOSSES.items()):
        parts = {unit.reconstruction: None, unit.kl: None}
        board.validation(step, (i + 1) * seconds, {unit.name: loss, **parts}, best=loss < 2.2)
    return str(path)


def test_curves_of_runs_are_one_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "two.png"
    runs = [run(tmp_path / "slow", seconds=90.0), run(tmp_path / "fast")]
    curves.main([*runs, "--out", str(out), "--levels", "1.41", "1.42"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "slow: 2.000 bits per character at step 20, after 3.0 min"
    assert lines[1] == "fast: 2.000 bits per character at step 20, after 0.2 min"
    assert tf.io.decode_png(out.read_bytes()).shape[:2] == (504, 1260)
    curves.main([*runs, "--out", str(out), "--step-seconds", "3", "0.6"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition("after ")[2] for line in lines[:2]] == ["1.0 min", "0.2 min"]


def test_music_has_its_own_unit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    music = run(tmp_path / "music", task="music")
    curves.main([music, "--out", str(tmp_path / "one.png")])
    assert "2.000 nats per time step at step 20" in capsys.readouterr().out
    with pytest.raises(UserError, match="one unit; got bits per character, nats per time step"):
        curves.main([run(tmp_path / "text"), music, "--out", str(tmp_path / "none.png")])
    with pytest.raises(UserError, match=r"--out expects a name that ends in \.png; got"):
        curves.main([music, "--out", str(tmp_path / "curves.pdf")])


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    def refusal(*flags: str) -> str:
        with pytest.raises(UserError) as caught:
            curves.main([*flags, "--out", str(tmp_path / "none.png")])
        assert not (tmp_path / "none.png").exists()
        return str(caught.value)

    known = run(tmp_path / "known")
    assert "expected the folders of one or more runs; got none" in refusal()
    assert "one number for each of the 1 runs; got 2" in refusal(known, "--step-seconds", "1", "2")
    assert "--step-seconds expects numbers above 0" in refusal(known, "--step-seconds", "0")
    assert "--levels expects finite numbers" in refusal(known, "--levels", "nan")
    assert "holds no run" in refusal(str(tmp_path / "nothing"))
    new = tmp_path / "new"
    new.mkdir()
    write_json(new / "config.json", {"format": FORMAT, "task": "text"})
    assert "has no validation yet" in refusal(str(new))
    untimed = tmp_path / "untimed"
    untimed.mkdir()
    write_json(untimed / "config.json", {"format": FORMAT, "task": "text"})
    board = Board(Workdir(untimed).tensorboard, TASKS["text"].unit)
    board.scalars("valid", 5, {"loss/bpc": 2.0})
    board.flush()
    assert "at step 5, because another version trained it: give --step-seconds" in refusal(
        known, str(untimed)
    )
