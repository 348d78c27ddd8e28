"""AF in hidden, sampled for all dimensions at once: a few large operations, not many small ones."""

from __future__ import annotations

import tensorflow as tf

from bijectors.base import forward_and_log_det, inverse_and_log_det
from bijectors.hidden.structures import AutoregressiveHidden

__all__ = ["FixedPointHidden"]


class FixedPointHidden(AutoregressiveHidden):
    """The map of `AutoregressiveHidden`, with the forward direction by fixed-point iteration.

    The iteration

        z <- s(eps; params(z, context))

    is repeated until `|change of z| <= tolerance * (1 + |z|)` in every dimension. Each sweep
    computes all dimensions with the scalar map's own solver (for NLSq, a closed form and Newton
    steps). Since `params[i]` depends only on `z[:i]`, the first k dimensions are exact after k
    sweeps. At most H sweeps are made: these give the serial solution for any weights. Trained flows
    take 4 to 7.

    A vector that has converged stays unchanged while the rest of the batch goes on, so no result
    depends on the other vectors. Without a compiler this is many times faster than the serial
    solution, which consists of H steps of small operations. Not differentiable: use it for
    sampling.

    Example:
      >>> from bijectors import SCALAR_MAPS, AutoregressiveHidden, ConditionalMADE, FixedPointHidden
      >>> nlsq = SCALAR_MAPS["nlsq"]
      >>> made = ConditionalMADE(event_size=3, num_params=nlsq.num_params, hidden_sizes=(8, 8))
      >>> eps = tf.constant([0.5, -1.0, 2.0])
      >>> serial = AutoregressiveHidden(made, nlsq.from_unconstrained).forward(eps)
      >>> at_once = FixedPointHidden(made, nlsq.from_unconstrained).forward(eps)
      >>> bool(tf.reduce_all(tf.abs(serial - at_once) < 1e-4))
      True
    """

    tolerance: float | None = None  # None: 1e-5 in float32, 1e-12 in float64.

    def _forward_and_log_det(self, eps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        eps = self._in_batch(eps)
        tolerance = self.tolerance
        if tolerance is None:
            tolerance = 1e-5 if eps.dtype == tf.float32 else 1e-12
        params = self._network.given(self._context, self._offset)

        def sweep(z: tf.Tensor, arrived: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            new, _ = forward_and_log_det(self._scalar_map(params(z)), eps, event_ndims=0)
            small = tf.abs(new - z) <= tolerance * (1 + tf.abs(new))
            z = tf.where(arrived, z, new)
            return z, arrived | tf.reduce_all(small, axis=-1, keepdims=True)

        z, _ = tf.while_loop(
            lambda z, arrived: ~tf.reduce_all(arrived),
            sweep,
            (eps, tf.zeros_like(eps[..., :1], tf.bool)),
            maximum_iterations=self._network.event_size,
        )
        _, log_det = inverse_and_log_det(self._scalar_map(params(z)), z, event_ndims=1)
        return z, -log_det
