"""Which steps each stage of a flow prior maps, given which others."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from bijectors import (
    TIME_STRUCTURES,
    AdjointInverseAutoregressiveTime,
    Conditioner,
    CouplingTime,
    HiddenBijector,
    IndependentTime,
    InverseAutoregressiveTime,
    Structure,
    TimeBijector,
)
from bijectors.tables import TIME_ENTRIES
from tf_latentflow.config import ModelConfig

__all__ = ["StagePlan", "stage_plan"]

# The density of IAF in time is serial: its gradient is worth a way of its own.
_WITH_OWN_GRADIENT = {InverseAutoregressiveTime: AdjointInverseAutoregressiveTime}


class StagePlan(NamedTuple):
    """The steps of one stage.

    Attributes:
      kind: Its bijector along time.
      stride: It maps only steps 0, stride, 2 stride, ...
      kept: Of these, a coupling keeps the even ones (0) or the odd ones (1).
    """

    kind: type[TimeBijector]
    stride: int = 1
    kept: int = 0

    @property
    def is_coupling(self) -> bool:
        """Whether it reads steps on both sides."""
        return issubclass(self.kind, CouplingTime)

    @property
    def reads_other_steps(self) -> bool:
        """Whether it needs a network over them."""
        return not issubclass(self.kind, IndependentTime)

    def bijector(
        self,
        conditioner: Conditioner,
        hidden: Callable[[Structure], HiddenBijector],
        lengths: tf.Tensor,
        dtype: str,
    ) -> TimeBijector:
        """The bijector of events `[T, H]`; see `TimeBijector`."""
        options = {"kept": self.kept} if self.is_coupling else {}
        return self.kind(conditioner, hidden, lengths, stride=self.stride, dtype=dtype, **options)

    def of_its_steps(self, count: int | tf.Tensor) -> int | tf.Tensor:
        """How many of the first `count` steps are steps of the stage."""
        return (count + self.stride - 1) // self.stride


def stage_plan(config: ModelConfig, number: int) -> StagePlan:
    """The plan of a stage of the prior; stage 0 is next to z."""
    entry, kind = TIME_ENTRIES[config.time], TIME_STRUCTURES[config.time]
    if entry.has_scales:
        is_last = number == config.time_layers - 1
        return StagePlan(IndependentTime if is_last else kind, stride=2**number)
    if entry.is_coupling:
        return StagePlan(kind, kept=number % 2)
    return StagePlan(_WITH_OWN_GRADIENT.get(kind, kind))
