"""A run resumes with other intervals of checkpoints and progress lines, and ends the same."""

from __future__ import annotations

from pathlib import Path

from train.engine.workdir import Workdir

TRAIN = {"seed": 0, "max_steps": 10, "checkpoint_steps": 100, "log_steps": 20}


def config(**changes: int) -> dict[str, object]:
    return {"train": {**TRAIN, **changes}}


def test_other_intervals_are_taken_over(tmp_path: Path) -> None:
    Workdir(tmp_path).claim(config())
    Workdir(tmp_path).check(config(checkpoint_steps=5, log_steps=1))
    Workdir(tmp_path).claim(config(checkpoint_steps=5))
    assert Workdir(tmp_path).read_config()["train"] == {**TRAIN, "checkpoint_steps": 5}


def test_other_intervals_do_not_make_a_finished_run_go_on(tmp_path: Path) -> None:
    workdir = Workdir(tmp_path)
    workdir.claim(config())
    workdir.results_file.write_text("{}")
    workdir.check(config(log_steps=1), writing=False)
    assert not workdir.is_extended_by(config(log_steps=1))
    assert workdir.is_extended_by(config(log_steps=1, max_steps=20))
