"""What a run shows of its losses and its speed."""

from __future__ import annotations

import math
import time
from types import SimpleNamespace

import pytest

from tf_latentflow.terms import Terms
from train.engine.loop.calls import CallQueue
from train.engine.loop.record import Record
from train.engine.progress import Progress, Window, format_seconds, show_split_progress
from train.engine.step_terms import StepTerms
from train.support.screen import Screen
from train.support.units import BITS_PER_CHARACTER

STEPS = [StepTerms(-40, 10, -50, -5, 10, 0.5), StepTerms(-20, 20, -40, -10, 20, 1.5)]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def wait(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", lambda: clock.now)
    return clock


def test_a_window_has_means_per_symbol_and_the_speed(clock: Clock) -> None:
    progress = Progress(BITS_PER_CHARACTER, has_latents=True, operations_per_symbol=5e9)
    assert progress.remaining(4, 3) is None
    progress.count_steps(2)
    progress.add_terms(STEPS)
    clock.wait(13)
    progress.pause(3)
    window = progress.end_window(0.5, 1e-3)
    assert window == Window(Terms(-2.5, 1.0, -3.5), -0.5, 1.0, 3.0, 0.5, 1e-3)
    bit = math.log(2)
    assert progress.scalars(window) == pytest.approx(
        {
            "loss/bpc": 4 / bit,
            "loss/reconstruction_bpc": 2.5 / bit,
            "loss/kl_bpc": 1 / bit,
            "loss/length_bpc": 0.5 / bit,
            "loss/objective_nats": 3.0,
            "training/gradient_norm": 1.0,
            "training/learning_rate": 1e-3,
            "training/kl_weight": 0.5,
            "training/characters_per_second": 3.0,
        }
    )
    assert progress.line(window, 7, 100, 59.6) == (
        "step   7/100  5.771 bpc (reconstruction 3.607, KL 1.443)  KL weight 0.50  "
        "learning rate 1.0e-03  3 characters/s  ETA 1:00  0.015 TFLOP/s in matrix products"
    )
    assert progress.remaining(4, 3) == 20
    progress.add_validation(100)
    assert progress.remaining(4, 3) == 320
    progress.add_validation(2)  # The first one, with its tracing, no longer counts.
    assert progress.remaining(4, 3) == 26
    clock.wait(104)
    progress.count_steps(1)
    progress.add_terms(STEPS[:1])
    assert progress.end_window(0.5, 1e-3).rate == 10 / 2  # Without the time of the validations.


def test_compiling_counts_neither_as_time_nor_as_steps(clock: Clock) -> None:
    def prepare(bounds: set[int]) -> bool:
        clock.wait(100)
        return True

    backend = SimpleNamespace(prepare=prepare, start=lambda *_: clock.wait(2), read=lambda _: STEPS)
    progress = Progress(BITS_PER_CHARACTER, has_latents=True)
    calls = CallQueue(backend, Record(), progress)
    call = SimpleNamespace(first=0, steps=[[], []], bounds={4})
    for _ in range(2):
        calls.start(call, [1, 1], [1, 1])
    calls.settle()
    assert progress.end_window(1, 1).rate == 30 / 2


def test_compiling_in_advance_does_not_count_as_time(clock: Clock) -> None:
    def prepare(bounds: set[int]) -> bool:
        clock.wait(100)
        return False

    backend = SimpleNamespace(prepare=prepare, start=lambda *_: clock.wait(2), read=lambda _: STEPS)
    progress = Progress(BITS_PER_CHARACTER, has_latents=True)
    calls = CallQueue(backend, Record(), progress)
    calls.start(SimpleNamespace(first=0, steps=[[], []], bounds={4}), [1, 1], [1, 1])
    calls.settle()
    assert progress.end_window(1, 1).rate == 30 / 2


def test_progress_through_a_split(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    show = show_split_progress(Screen(), "testing")
    for done, seconds in ((10, 0), (20, 5), (40, 10), (41, 1)):
        clock.wait(seconds)
        show(done, 100)
    assert capsys.readouterr().err == "testing 40/100  ETA 0:30\n"
    assert format_seconds(3661) == "1:01:01"
