"""Schedules of a run: the weight of the KL term and the learning rate."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from train.engine.settings import LoopSettings

__all__ = ["Plateau", "Schedule", "final_decay_scale", "kl_weight"]


def kl_weight(position: float, zero: float, ramp: float, floor: float = 0.0) -> float:
    """Returns `clip((position - zero) / ramp, floor, 1)`, the weight of the KL term.

    Args:
      position: Time since the start of the run, in the unit of `zero` and `ramp`; fractions of an
        epoch count.
      zero: Time before the weight rises.
      ramp: Time over which it rises linearly to 1; 0 is a jump.
      floor: Smallest weight.
    """
    if position < zero:
        return floor
    if position >= zero + ramp:
        return 1.0
    return max(floor, (position - zero) / ramp)


def final_decay_scale(step: int, total_steps: int, share: float) -> float:
    """Returns the factor of the learning rate at a step of a run of `total_steps`.

    It is 1 before the last `share` of the run and falls linearly after that. It would reach 0 at
    step `total_steps`, the first that is not made.
    """
    decay_steps = share * total_steps
    return min(1.0, (total_steps - step) / decay_steps) if decay_steps > 0 else 1.0


@dataclasses.dataclass(frozen=True)
class Plateau:
    """Divides the learning rate when the validation loss no longer improves.

    Attributes:
      best: Smallest loss seen.
      waited: Validations since then, or since the last division.
      scale: Factor of the learning rate.
    """

    best: float = math.inf
    waited: int = 0
    scale: float = 1.0

    def update(self, loss: float, patience: int, factor: float) -> Plateau:
        """Returns the state after one more validation.

        Args:
          loss: Loss of the validation.
          patience: Number of validations without improvement to wait for.
          factor: Factor by which the learning rate is divided after that.
        """
        if loss < self.best:
            return Plateau(loss, 0, self.scale)
        if self.waited >= patience:
            return Plateau(self.best, 0, self.scale / factor)
        return Plateau(self.best, self.waited + 1, self.scale)

    def to_dict(self) -> dict[str, Any]:
        """Returns the state as JSON values, with None for a loss that does not exist yet."""
        best = None if math.isinf(self.best) else self.best
        return {"best": best, "waited": self.waited, "scale": self.scale}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Plateau:
        """Returns the state that `to_dict` wrote."""
        best = math.inf if fields["best"] is None else fields["best"]
        return cls(best, fields["waited"], fields["scale"])


class Schedule:
    """The schedules of a run as functions of the step, for any unit of its settings.

    Attributes:
      total_steps: Number of steps of the run.
      eval_steps: Steps between validations.
      ramp_end: Number of steps after which the KL weight is 1.
    """

    def __init__(self, config: LoopSettings, steps_per_epoch: int, has_kl: bool) -> None:
        """Works out the steps.

        Args:
          config: Settings with a limit of epochs, of steps, or both.
          steps_per_epoch: Optimiser steps in an epoch.
          has_kl: False for a model without a KL term, which has no ramp to wait for.
        """
        self._config = config
        self._unit_steps = 1 if config.schedule_unit == "steps" else steps_per_epoch
        self._zero, self._ramp = (config.kl_zero, config.kl_ramp) if has_kl else (0.0, 0.0)
        limits = [config.max_steps, config.epochs and config.epochs * steps_per_epoch]
        self.total_steps = min(limit for limit in limits if limit is not None)
        self.eval_steps = max(1, round(config.eval_every * self._unit_steps))
        self.ramp_end = math.ceil((self._zero + self._ramp) * self._unit_steps)

    def kl_weight(self, step: int) -> float:
        """Returns the weight of the KL term in the loss of a step."""
        position = step / self._unit_steps
        return kl_weight(position, self._zero, self._ramp, self._config.kl_floor)

    def learning_rate(self, step: int, plateau: Plateau) -> float:
        """Returns the learning rate of a step."""
        decay = final_decay_scale(step, self.total_steps, self._config.final_decay)
        return self._config.learning_rate * plateau.scale * decay
