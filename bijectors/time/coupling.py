"""Coupling across steps: every other step is kept, and the rest are mapped given these."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.axes import size_of_axis
from bijectors.base import forward_and_log_det, inverse_and_log_det
from bijectors.masks import zero_unless
from bijectors.time.base import Direction, TimeBijector
from bijectors.time.conditioner import Conditioner, Structure

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

    Example:
      >>> import tensorflow as tf
      >>> from bijectors import Affine, CouplingTime
      >>> class Total:  # The context of a step: the sum of the vectors before it.
      ...     def covariates(self, batch_shape, num_steps):
      ...         return ()
      ...     def initial_state(self, batch_shape, num_steps):
      ...         return tf.zeros(tf.concat([batch_shape, [2]], axis=0))
      ...     def step(self, inputs, covariates, state):
      ...         return state + inputs, state + inputs
      ...     def scan(self, inputs, covariates):
      ...         return tf.cumsum(inputs, axis=-2)
      >>> hidden = lambda context: Affine(a=0.5 * context, b=2.0)
      >>> z = CouplingTime(Total(), hidden).forward(tf.ones([1, 3, 2]))
      >>> z[0].numpy().tolist()  # Steps 0 and 2 are kept.
      [[1.0, 1.0], [2.5, 2.5], [1.0, 1.0]]
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
