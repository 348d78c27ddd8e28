"""The training loop over a backend of NumPy: what it does after which step, and what it keeps."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tf_latentflow.terms import Terms
from train.data.text.config import TextConfig
from train.engine.checkpoint_folders import CheckpointFolders
from train.engine.loop.record import Record
from train.engine.loop.training_loop import TrainingLoop
from train.engine.order import Call, TrainingOrder
from train.engine.run_state import NonFiniteError
from train.engine.split_terms import SplitTerms
from train.engine.step_terms import StepTerms
from train.support.screen import Screen
from train.support.units import BITS_PER_CHARACTER

SEQUENCES = [np.full([length], 2, np.int32) for length in (4, 2, 4, 3, 2, 4, 1)]
SETTINGS: Mapping[str, Any] = {
    "max_steps": 10,
    "batch_size": 2,
    "eval_every": 4,
    "checkpoint_steps": 3,
    "log_steps": 5,
    "kl_zero": 0,
    "kl_ramp": 0,
}


class Numbers:
    """A model of one weight, which a step lowers by its learning rate; its loss is its square."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.weight, self.best = 1.0, 0.0
        self.fails_at = fails_at
        self.failed: tuple[int, str] | None = None
        self.made: list[int] = []

    def prepare(self, bounds: set[int]) -> bool:
        return False

    def start(self, call: Call, kl_weights: Sequence[float], rates: Sequence[float]) -> Any:
        made = []
        for i, batches in enumerate(call.steps):
            if call.first + i == self.fails_at:
                self.failed = (self.fails_at, "kl")
            self.weight -= rates[i]
            self.made.append(call.first + i)
            symbols = sum(int(np.sum(batch.lengths + 1)) for batch in batches)
            made.append(StepTerms(-self.weight, 0.0, -self.weight, -1.0, symbols, 0.5))
        return made

    def read(self, started: Any) -> list[StepTerms]:
        return started

    def failure(self) -> tuple[int, str] | None:
        return self.failed

    def weights_are_finite(self) -> bool:
        return math.isfinite(self.weight)

    def validate(self, progress: Callable[[int, int], None]) -> SplitTerms:
        one = np.ones([1])
        loss = self.weight**2 * one
        return SplitTerms(one, Terms(-loss, 0 * one, -loss), 0 * one)

    def keep_best(self) -> None:
        self.best = self.weight

    def restore_best(self) -> None:
        self.weight = self.best

    def write(self, folder: Path) -> None:
        (folder / "weight.txt").write_text(f"{self.weight!r} {self.best!r}")

    def read_state(self, folder: Path) -> None:
        self.weight, self.best = map(float, (folder / "weight.txt").read_text().split())


class Notes(Record):
    def __init__(self) -> None:
        self.noted: list[tuple[str, int]] = []

    def begin(self, step: int) -> None:
        self.noted.append(("begin", step))

    def window(self, step: int, scalars: Mapping[str, float]) -> None:
        self.noted.append(("window", step))

    def validation(self, step: int, seconds: float, report: Mapping[str, Any], best: bool) -> None:
        self.noted.append(("best" if best else "validation", step))


def make(
    folder: Path,
    backend: Numbers,
    record: Record,
    group: int = 1,
    has_latents: bool = False,
    **more: Any,
) -> TrainingLoop:
    config = TextConfig.from_preset("tiny", "lstm", **{**SETTINGS, **more})
    return TrainingLoop(
        config,
        backend,
        TrainingOrder(config, SEQUENCES, (2, 4), group),
        record,
        CheckpointFolders(folder / "checkpoints"),
        Screen(),
        BITS_PER_CHARACTER,
        has_latents=has_latents,
    )


@pytest.mark.parametrize("group", [1, 3])
def test_what_is_done_after_which_step(tmp_path: Path, group: int) -> None:
    backend, notes = Numbers(), Notes()
    loop = make(tmp_path, backend, notes, group)
    assert loop.run() and loop.is_over
    assert backend.made == list(range(10))
    whens = [("begin", 0), ("best", 4), ("best", 8), ("best", 10)]
    assert [noted for noted in notes.noted if noted[0] != "window"] == whens
    windows = [step for what, step in notes.noted if what == "window"]
    assert windows[-1] == 10 and (group > 1 or windows == [5, 10])
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["step-000000006", "step-000000009", "step-000000010"]
    assert backend.weight == backend.best


@pytest.mark.parametrize(("floor", "noted"), [(1.0, False), (0.1, True)])
def test_a_note_says_if_the_kl_weight_does_not_reach_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], floor: float, noted: bool
) -> None:
    make(tmp_path, Numbers(), Record(), has_latents=True, kl_ramp=1000, kl_floor=floor).run()
    assert ("the KL weight reaches 1 only at step" in capsys.readouterr().out) == noted


@pytest.mark.parametrize("group", [1, 3])
def test_a_run_that_was_stopped_ends_where_it_would_have(tmp_path: Path, group: int) -> None:
    whole = Numbers()
    make(tmp_path / "whole", whole, Record(), group).run()
    first, second, notes = Numbers(), Numbers(), Notes()
    assert not make(tmp_path / "cut", first, Record(), group).run(lambda: True)
    loop = make(tmp_path / "cut", second, notes, group)
    assert loop.step == first.made[-1] + 1
    assert loop.run()
    assert notes.noted[0] == ("begin", first.made[-1] + 1)
    assert second.weight == whole.weight
    assert [*first.made, *second.made] == whole.made
    assert loop.summary["resumed_from_steps"] == [first.made[-1] + 1]
    # What is over is not resumed.
    again = make(tmp_path / "cut", Numbers(), Record(), group)
    assert again.run() and again.summary["resumed_from_steps"] == [first.made[-1] + 1]


def test_a_value_that_is_not_finite_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(
        NonFiniteError, match=r"step 4: the kl is not finite.* checkpoint: that of step 3"
    ):
        make(tmp_path, Numbers(fails_at=4), Record()).run()
    resumed = Numbers()
    make(tmp_path, resumed, Record()).run()
    assert resumed.made[0] == 3
    backend = Numbers()
    backend.weight = math.nan
    with pytest.raises(NonFiniteError, match="checkpoint: none yet"):
        make(tmp_path / "new", backend, Record()).run()
