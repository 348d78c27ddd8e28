"""KL weight, step size and plateau as functions of the step."""

from __future__ import annotations

import json

import pytest

from train.data.text.config import TextConfig
from train.engine.schedules import Plateau, Schedule, final_decay_scale, kl_weight
from train.engine.settings import LoopSettings


@pytest.mark.parametrize(
    ("position", "zero", "ramp", "expected"),
    [
        (0, 4, 10, 1e-5),
        (3.99, 4, 10, 1e-5),
        (4, 4, 10, 1e-5),
        (6.5, 4, 10, 0.25),
        (13.9, 4, 10, 0.99),
        (14, 4, 10, 1.0),
        (100, 4, 10, 1.0),
        (0, 0, 0, 1.0),
        (1, 2, 0, 1e-5),
        (2, 2, 0, 1.0),
    ],
)
def test_kl_weight(position: float, zero: float, ramp: float, expected: float) -> None:
    assert kl_weight(position, zero, ramp, floor=1e-5) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("step", "total", "share", "expected"),
    [
        (0, 100, 0.3, 1),
        (70, 100, 0.3, 1),
        (85, 100, 0.3, 0.5),
        (99, 100, 0.3, 1 / 30),
        (99, 100, 0, 1),
    ],
)
def test_final_decay(step: int, total: int, share: float, expected: float) -> None:
    assert final_decay_scale(step, total, share) == pytest.approx(expected)


def test_plateau_waits_then_divides_and_survives_json() -> None:
    plateau = Plateau()
    scales = []
    for loss in (2.0, 1.0, 1.0, 1.4, 1.3, 0.9, 0.95, 1.0, 1.1):
        plateau = plateau.update(loss, patience=1, factor=4.0)
        plateau = Plateau.from_dict(json.loads(json.dumps(plateau.to_dict())))
        scales.append(plateau.scale)
    assert scales == [1, 1, 1, 0.25, 0.25, 0.25, 0.25, 0.0625, 0.0625]
    assert plateau == Plateau(best=0.9, waited=1, scale=0.0625)
    assert Plateau.from_dict(json.loads(json.dumps(Plateau().to_dict()))) == Plateau()


def test_schedule_in_epochs_interpolates_within_an_epoch() -> None:
    config = TextConfig.from_preset("paper", "af-af", epochs=20)
    schedule = Schedule(config, steps_per_epoch=100, has_kl=True)
    assert schedule.total_steps == 2000
    assert schedule.eval_steps == 100
    assert schedule.ramp_end == 1400
    assert schedule.kl_weight(399) == config.kl_floor
    assert schedule.kl_weight(450) == pytest.approx(0.05)
    assert schedule.kl_weight(1400) == 1.0
    assert schedule.learning_rate(1999, Plateau(scale=0.25)) == pytest.approx(0.25e-3)
    config = LoopSettings(schedule_unit="epochs", epochs=1, kl_zero=0.25, kl_ramp=0.5)
    schedule = Schedule(config, steps_per_epoch=10, has_kl=True)
    weights = [schedule.kl_weight(step) for step in (schedule.ramp_end - 1, schedule.ramp_end)]
    assert weights[0] < 1 and weights[1] == 1


@pytest.mark.parametrize(
    ("limits", "eval_every", "total", "between"),
    [
        ({"epochs": 3}, 1, 30, 10),
        ({"epochs": 3, "max_steps": 25}, 0.26, 25, 3),
        ({"epochs": 2, "max_steps": 25}, 0.01, 20, 1),
    ],
)
def test_the_first_limit_ends_a_run_and_validations_are_whole_steps_apart(
    limits: dict[str, int], eval_every: float, total: int, between: int
) -> None:
    config = LoopSettings(schedule_unit="epochs", eval_every=eval_every, **limits)
    schedule = Schedule(config, steps_per_epoch=10, has_kl=True)
    assert (schedule.total_steps, schedule.eval_steps) == (total, between)


def test_schedule_without_kl_has_no_ramp() -> None:
    schedule = Schedule(TextConfig.from_preset("small", "af-af"), 100, has_kl=False)
    assert schedule.ramp_end == 0
    assert schedule.kl_weight(0) == 1.0


def test_ramp_of_small_is_over_by_half_of_the_run() -> None:
    schedule = Schedule(TextConfig.from_preset("small", "af-af"), 60, has_kl=True)
    assert schedule.ramp_end <= schedule.total_steps / 2
