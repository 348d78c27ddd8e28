"""Coupling across steps: every other step is kept, and the rest are mapped given these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.axes import map_every, size_of_axis
from bijectors.base import forward_and_log_det, inverse_and_log_det
from bijectors.loops import Structure
from bijectors.masks import zero_unless
from bijectors.time.base import Direction, TimeBijector
from bijectors.time.conditioner import CouplingConditioner

__all__ = ["CouplingTime"]


class CouplingTime(TimeBijector):
    """`z[t] = eps[t]` at kept steps and `z[t] = f(eps[t]; kept steps)` at the others, f = `hidden`.

    Both directions are parallel in t. A context may depend on kept steps before and after it.

    Source: Dinh et al. (2017), "Density estimation using Real NVP", section 3.4, along time.

    Args:
      conditioner: See `CouplingConditioner`.
      hidden: See `TimeBijector`.
      lengths: See `TimeBijector`.
      kept: Which steps are kept: 0 for the even ones, 1 for the odd ones.
      stride: See `TimeBijector`. Couplings at strides 1, 2, 4, ... make a flow of many scales
        (section 3.6 of the source).
      name: Name of the bijector.
      dtype: See `TimeBijector`.

    Example:
      >>> import tensorflow as tf
      >>> from bijectors import Affine, CouplingTime
      >>> class Total:  # The context of a step: the sum of the kept vectors before it.
      ...     def covariates(self, batch_shape, num_steps):
      ...         return ()
      ...     def between(self, inputs, covariates, first):
      ...         return tf.cumsum(inputs, axis=-2)[..., first::2, :]
      >>> hidden = lambda context: Affine(a=0.5 * context, b=2.0)
      >>> z = CouplingTime(Total(), hidden).forward(tf.ones([1, 3, 2]))
      >>> z[0].numpy().tolist()  # Steps 0 and 2 are kept.
      [[1.0, 1.0], [2.5, 2.5], [1.0, 1.0]]
    """

    def __init__(
        self,
        conditioner: CouplingConditioner,
        hidden: Callable[[Structure], tfp.bijectors.Bijector],
        lengths: tf.Tensor | None = None,
        kept: int = 0,
        stride: int = 1,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        if kept not in (0, 1):
            raise ValueError(f"expected kept to be 0 or 1; got {kept}")
        self._kept = kept
        super().__init__(conditioner, hidden, lengths, stride, name, dtype)
        self._parameters["kept"] = kept

    def _map(self, direction: Direction, values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        hidden = self._hidden(self._contexts(values))
        first = 1 - self._kept
        return map_every(2, lambda chosen: direction(hidden, chosen, 1), values, first)

    def _contexts(self, values: tf.Tensor) -> Structure:
        kept = tf.range(size_of_axis(values, -2))[:, None] % 2 == self._kept
        inputs = zero_unless(kept, values)
        return self._conditioner.between(inputs, self._covariates(values), 1 - self._kept)

    def _forward_steps(self, eps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._map(forward_and_log_det, eps)

    def _inverse_steps(self, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._map(inverse_and_log_det, z)
