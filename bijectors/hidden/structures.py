"""Bijectors along the hidden dimension: autoregressive, split coupling, independent.

All apply a scalar map to each dimension. They differ in what its parameters may depend on.
They share the signature `Bijector(network, scalar_map, context, offset)`. The `network` of each, a
`ConditionalMADE` or `ConditionalMLP` of the right size, is made in `bijectors.hidden.entries`.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from bijectors.base import forward_and_log_det, inverse_and_log_det
from bijectors.hidden.base import HiddenBijector
from bijectors.hidden.made import ConditionalMADE

__all__ = [
    "AutoregressiveHidden",
    "FixedPointHidden",
    "IndependentHidden",
    "SplitCouplingHidden",
]


class AutoregressiveHidden(HiddenBijector):
    """AF in hidden: `z[i] = s(eps[i]; params(z[:i], context))`, with `s` increasing.

    The inverse (density evaluation) takes one pass of the MADE. The forward direction (sampling) is
    serial over H, but also costs only one pass. Source: section 3 of Ziegler & Rush (2019);
    Papamakarios et al. (2017).

    Example:
      >>> import tensorflow as tf
      >>> from bijectors import SCALAR_MAPS, AutoregressiveHidden, ConditionalMADE
      >>> nlsq = SCALAR_MAPS["nlsq"]
      >>> made = ConditionalMADE(event_size=3, num_params=nlsq.num_params, hidden_sizes=(8, 8))
      >>> flow = AutoregressiveHidden(made, nlsq.from_unconstrained)
      >>> z, log_det = flow.forward_and_log_det([0.5, -1.0, 2.0])
      >>> eps, minus_log_det = flow.inverse_and_log_det(z)
      >>> eps.numpy().round(4).tolist(), bool(abs(log_det + minus_log_det) < 1e-5)
      ([0.5, -1.0, 2.0], True)
    """

    @property
    def _event_size(self) -> int:
        return self._network.event_size

    def _check_network(self) -> None:
        self._expect_network(isinstance(self._network, ConditionalMADE), "af")

    def _inverse_and_log_det(self, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return inverse_and_log_det(self._scalar(z), z, event_ndims=1)

    def _forward_and_log_det(self, eps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        def solve(eps_i: tf.Tensor, params: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return forward_and_log_det(self._scalar_map(params), eps_i, event_ndims=0)

        eps = self._in_batch(eps)
        z, log_det = self._network.solve(solve, eps, self._context, self._offset)
        return z, tf.reduce_sum(log_det, axis=-1)


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


class SplitCouplingHidden(HiddenBijector):
    """SCF in hidden: `z[:k] = eps[:k]`, `z[k:] = s(eps[k:]; params(z[:k], context))`, `k = H // 2`.

    Both directions take one pass. `HIDDEN_STRUCTURES["scf"].network(H, num_params, ...)` builds the
    network, which has `k` inputs and `H - k` outputs. Source: section 3 of Ziegler & Rush (2019);
    Dinh et al. (2017).

    Example:
      >>> import tensorflow as tf
      >>> from bijectors import HIDDEN_STRUCTURES, SCALAR_MAPS, SplitCouplingHidden
      >>> affine = SCALAR_MAPS["affine"]
      >>> network = HIDDEN_STRUCTURES["scf"].network(4, affine.num_params)
      >>> z = SplitCouplingHidden(network, affine.from_unconstrained).forward([1.0, 2.0, 3.0, 4.0])
      >>> z[:2].numpy().tolist()  # The first half is kept.
      [1.0, 2.0]
    """

    def _check_network(self) -> None:
        inputs, outputs = self._network.input_size, self._network.output_size
        is_made = isinstance(self._network, ConditionalMADE)
        self._expect_network(not is_made and inputs == (inputs + outputs) // 2 > 0, "scf")

    def _map(self, values: tf.Tensor, direction: Callable) -> tuple[tf.Tensor, tf.Tensor]:
        size = self._network.input_size
        values = self._in_batch(values)
        kept = values[..., :size]
        mapped, log_det = direction(self._scalar(kept), values[..., size:], event_ndims=1)
        return tf.concat([kept, mapped], axis=-1), log_det

    def _inverse_and_log_det(self, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._map(z, inverse_and_log_det)

    def _forward_and_log_det(self, eps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._map(eps, forward_and_log_det)


class IndependentHidden(HiddenBijector):
    """No structure in hidden: `z[i] = s(eps[i]; params(context))`, one pass in both directions.

    Example:
      >>> import tensorflow as tf
      >>> from bijectors import HIDDEN_STRUCTURES, SCALAR_MAPS, IndependentHidden
      >>> affine = SCALAR_MAPS["affine"]
      >>> network = HIDDEN_STRUCTURES["none"].network(2, affine.num_params, context_size=3)
      >>> flow = IndependentHidden(network, affine.from_unconstrained, context=tf.ones([7, 3]))
      >>> flow.forward(tf.zeros([7, 2])).shape
      TensorShape([7, 2])
    """

    def _check_network(self) -> None:
        self._expect_network(self._network.input_size == 0, "none")

    def _inverse_and_log_det(self, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return inverse_and_log_det(self._scalar(None), z, event_ndims=1)

    def _forward_and_log_det(self, eps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return forward_and_log_det(self._scalar(None), eps, event_ndims=1)
