"""Coupling across steps: every other step is kept, and the rest are mapped given these."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.axes import size_of_axis
from bijectors.base import forward_and_log_det, inverse_and_log_det
from bijectors.masks import zero_unless
from bijectors.time.conditioner import Conditioner, Structure
from bijectors.time.structures import Direction, TimeBijector

__all__ = ["CouplingTime"]


class CouplingTime(TimeBijector):
    """`z[t] = eps[t]` at kept steps and `z[t] = f(eps[t]; kept steps)` at the others, f = `hidden`.

    Both directions are parallel in t. The conditioner's `scan` gets the kept vectors, unshifted,
    and zeros at the other steps. A context may therefore depend on kept steps before and after it.

    Source: Dinh et al. (2017), "Density estimation using Real NVP", section 3.4, along time.

    Args:
      conditioner: See `TimeBijector`.
      hidden: See `TimeBijector`.
      lengths: See `TimeBijector`.
      kept: Which steps are kept: 0 for the even ones, 1 for the odd ones.
      name: Name of the bijector.
    """

    def __init__(
        self,
        conditioner: Conditioner,
        hidden: Callable[[Structure], tfp.bijectors.Bijector],
        lengths: tf.Tensor | None = None,
        kept: int = 0,
        name: str | None = None,
    ) -> None:
        self._kept = kept
        super().__init__(conditioner, hidden, lengths, name)
        self._parameters["kept"] = kept

    def _map(self, direction: Direction, values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        steps = tf.range(size_of_axis(values, -2))
        kept = (steps % 2 == self._kept)[:, None]
        contexts = self._conditioner.scan(zero_unless(kept, values), self._covariates(values))
        mapped, log_det = direction(self._hidden(contexts), zero_unless(~kept, values), 1)
        return tf.where(kept, values, mapped), zero_unless(~kept[:, 0], log_det)

    def _forward_steps(self, eps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._map(forward_and_log_det, eps)

    def _inverse_steps(self, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._map(inverse_and_log_det, z)
