"""Residual layers of dilated convolutions over time, causal or two-sided."""

from __future__ import annotations

import tensorflow as tf

from bijectors.axes import later
from bijectors.masks import mask_steps
from tf_latentflow.networks.positions import Positions
from tf_latentflow.networks.residual import ResidualStack
from tf_latentflow.networks.sequence_network import Masks

__all__ = ["ConvStack"]


class ConvStack(ResidualStack):
    """Convolutions of three taps, their dilation doubled from layer to layer.

        h = W x + position code
        h[t] += V_k relu(U_k [n[t - 2d], n[t - d], n[t]] + b_k),  n = norm_k(h),  d = 2^k  (causal)
        h[t] += V_k relu(U_k [n[t - d], n[t], n[t + d]] + b_k)                           (two-sided)

    K causal layers read the last `2 (2^K - 1)` steps and the present one, two-sided ones
    `2^K - 1` steps to either side (van den Oord et al., WaveNet, 2016; He et al., 2016).

    See `ResidualStack` for the arguments.
    """

    norms_per_layer = 1

    def _make_layers(self) -> None:
        layers, units = range(self.num_layers), self.units
        self.taps = [self._dense(3 * units, units, f"taps_{k}") for k in layers]
        self.outputs = [self._dense(units, units, f"output_{k}") for k in layers]

    def initial_state(
        self, positions: Positions, batch_shape: tf.Tensor, num_steps: int | tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        """For each layer, the vectors that it still has to read: zeros `[..., 2d, U]`."""
        sizes = [2 * 2**k for k in range(len(self.taps))]
        dtype = self.compute_dtype
        return tuple(tf.zeros(tf.concat([batch_shape, [n, self.units]], 0), dtype) for n in sizes)

    def step(
        self, inputs: tf.Tensor, offset: tf.Tensor, state: tuple[tf.Tensor, ...], masks: Masks = ()
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, ...]]:
        self._check_goes_step_by_step()
        h = self._first(inputs, offset)
        new_state = []
        for k, cache in enumerate(state):
            n = self.norms[k](h)
            taps = tf.concat([cache[..., 0, :], cache[..., 2**k, :], n], axis=-1)
            h += self._convolved(k, taps, masks)
            new_state.append(tf.concat([cache[..., 1:, :], n[..., None, :]], axis=-2))
        return self._last(h, masks), tuple(new_state)

    def call(self, inputs: tf.Tensor, positions: Positions, masks: Masks = ()) -> tf.Tensor:
        h = self._first(inputs, self.positions(positions))
        for k in range(len(self.taps)):
            n, distances = self.norms[k](h), (2 * 2**k, 2**k, 0)
            if self.two_sided:
                n, distances = mask_steps(n, positions.lengths), (2**k, 0, -(2**k))
            taps = tf.concat([later(n, distance) for distance in distances], axis=-1)
            h += self._convolved(k, taps, masks)
        return self._last(h, masks)

    def _convolved(self, k: int, taps: tf.Tensor, masks: Masks) -> tf.Tensor:
        hidden = self._drop(tf.nn.relu(self._apply(self.taps[k], taps)), masks, k)
        return self._apply(self.outputs[k], hidden)
