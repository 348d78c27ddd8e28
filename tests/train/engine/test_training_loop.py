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
from train.engine.progress import Progress
from train.engine.run_state import NonFiniteError, RunState
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
        self.prepared: list[int] = []

    def prepare(self, bounds: set[int]) -> bool:
        self.prepared += bounds
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


class Scripted(Numbers):
    """Its validations find given losses."""

    def __init__(self, *losses: float) -> None:
        super().__init__()
        self.losses = [*losses]

    def validate(self, progress: Callable[[int, int], None]) -> SplitTerms:
        loss, one = self.losses.pop(0), np.ones([1])
        return SplitTerms(one, Terms(-loss * one, 0 * one, -loss * one), 0 * one)


class Notes(Record):
    def __init__(self) -> None:
        self.noted: list[tuple[str, int]] = []
        self.made: list[tuple[int, float, float]] = []
        self.flushes = 0

    def begin(self, step: int) -> None:
        self.noted.append(("begin", step))

    def steps(
        self,
        first: int,
        terms: Sequence[StepTerms],
        kl_weights: Sequence[float],
        rates: Sequence[float],
    ) -> None:
        steps = range(first, first + len(terms))
        self.made += zip(steps, kl_weights, rates, strict=True)

    def window(self, step: int, scalars: Mapping[str, float]) -> None:
        self.noted.append(("window", step))

    def validation(self, step: int, seconds: float, report: Mapping[str, Any], best: bool) -> None:
        self.noted.append(("best" if best else "validation", step))

    def flush(self) -> None:
        self.flushes += 1


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
    assert sorted(backend.prepared) == [2, 4]  # Each length once.
    whens = [("begin", 0), ("best", 4), ("best", 8), ("best", 10)]
    assert [noted for noted in notes.noted if noted[0] != "window"] == whens
    windows = [step for what, step in notes.noted if what == "window"]
    assert windows[-1] == 10 and (group > 1 or windows == [5, 10])
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["step-000000006", "step-000000009", "step-000000010"]
    assert notes.flushes == 4  # Before each checkpoint: what a later process does not repeat.
    assert backend.weight == backend.best
    assert loop.summary["epochs"] == 10 / 4


@pytest.mark.parametrize("group", [1, 3])
def test_only_losses_after_the_ramp_count_and_the_best_weights_come_back(
    tmp_path: Path, group: int
) -> None:
    settings = {"max_steps": 14, "eval_every": 3, "kl_ramp": 3, "kl_floor": 0.1, "final_decay": 1}
    rate = {"learning_rate": 0.01, "plateau_patience": 1, "plateau_factor": 4}
    backend, notes = Scripted(0.1, 3.0, 3.0, 4.0, 5.0), Notes()
    make(tmp_path, backend, notes, group, has_latents=True, **settings, **rate).run()
    found = [noted for noted in notes.noted[1:] if noted[0] != "window"]
    assert found == [("best" if step == 6 else "validation", step) for step in (3, 6, 9, 12, 14)]
    steps, weights, rates = map(list, zip(*notes.made, strict=True))
    assert steps == list(range(14))
    assert weights == pytest.approx([0.1, 1 / 3, 2 / 3, *[1] * 11])
    # The learning rate is divided after two validations that were no better, at step 12.
    scales = [0.01] * 12 + [0.01 / 4] * 2
    assert rates == pytest.approx([scale * (14 - i) / 14 for i, scale in enumerate(scales)])
    assert backend.weight == pytest.approx(1 - sum(rates[:6]))


@pytest.mark.parametrize(
    ("ramp", "floor", "noted"),
    [(1000, 1.0, False), (1000, 0.1, True), (10, 0.1, True), (9, 0.1, False)],
)
def test_a_note_says_if_the_kl_weight_does_not_reach_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ramp: int, floor: float, noted: bool
) -> None:
    backend = Numbers()
    make(tmp_path, backend, Record(), has_latents=True, kl_ramp=ramp, kl_floor=floor).run()
    assert (backend.weight == backend.best) != noted  # The last weights then stay.
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


def test_the_time_of_earlier_processes_counts(tmp_path: Path) -> None:
    state = RunState(step=3, wall_seconds=1000.0).to_dict()
    CheckpointFolders(tmp_path / "checkpoints").save(3, state, Numbers().write)
    loop = make(tmp_path, Numbers(), Record())
    loop.run()
    assert 1000 < loop.summary["wall_seconds"] < 1100


def test_the_time_left_has_all_validations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, made = [], []
    monkeypatch.setattr(Progress, "add_validation", lambda _, seconds: made.append(seconds))
    monkeypatch.setattr(Progress, "remaining", lambda _, *left: asked.append((*left, len(made))))
    make(tmp_path, Numbers(), Record(), log_steps=1).run()
    # After steps 4, 8 and 10, each of which is shown before its own.
    assert asked == [(9 - i, n, 3 - n) for i, n in enumerate([3] * 4 + [2] * 4 + [1] * 2)]


def test_a_value_that_is_not_finite_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(
        NonFiniteError, match=r"step 7: the kl is not finite.* checkpoint: that of step 6"
    ):
        make(tmp_path, Numbers(fails_at=7), Record()).run()
    resumed = Numbers()
    make(tmp_path, resumed, Record()).run()
    assert resumed.made[0] == 6
    # Named by the step that made the weights, and by the number of steps before a validation.
    for eval_every, what in ((4, "step 2: the weights"), (3, "step 3: the validation loss")):
        backend = Numbers()
        backend.weight = math.nan
        with pytest.raises(NonFiniteError, match=f"{what} .*checkpoint: none yet"):
            make(tmp_path / "new", backend, Record(), eval_every=eval_every).run()
