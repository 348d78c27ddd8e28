"""The emitter: what an observed step depends on given the latents, and not on other steps."""

from __future__ import annotations

import keras
import tensorflow as tf

from bijectors.masks import zero_unless
from tf_latentflow.config import ModelConfig
from tf_latentflow.networks.layer import Layer
from tf_latentflow.networks.lstm import BiLSTM, stateless_dropout
from tf_latentflow.networks.positions import Positions
from tf_latentflow.noise import NoiseSource

__all__ = ["Emitter"]


class Emitter(Layer):
    """`p(x[t] | z, T)` from `[z[t], forward state at t-1, backward state at t+1]`.

    The states are those of a BiLSTM over z; one linear layer leads from them to the features that
    the symbols' layer turns into a distribution.

    Args:
      config: Sizes.
      name: Name of the layer.
    """

    def __init__(self, config: ModelConfig, name: str = "emitter") -> None:
        super().__init__(name=name)
        size = config.hidden_size
        self._dropout = config.emitter_dropout
        self.bilstm = BiLSTM(
            config.latent_size, size, config.num_lstm_layers, config.max_length, name="bilstm"
        )
        self.linear = keras.layers.Dense(size, name="linear", dtype=self.dtype_policy)
        self.linear.build((None, config.latent_size + 2 * size))
        self.built = True

    def call(
        self,
        z: tf.Tensor,
        lengths: tf.Tensor,
        positions: Positions,
        dropout_noise: NoiseSource | None = None,
    ) -> tf.Tensor:
        """From `z [..., B, T, H]`, zero beyond the lengths, to features `[..., B, T, size]`.

        Dropout is applied to the states, not to z, where noise is given.
        """
        ahead, behind = self.bilstm(z, lengths, positions)
        steps = tf.range(tf.shape(z)[-2])[:, None]
        last = lengths[:, None, None] - 1
        # Rolls, whose gradients are rolls: that of a slice fills an array with zeros first.
        ahead = zero_unless(steps > 0, tf.roll(ahead, 1, axis=-2))
        behind = zero_unless(steps < last, tf.roll(behind, -1, axis=-2))
        states = tf.concat([ahead, behind], axis=-1)
        states = stateless_dropout(states, self._dropout, dropout_noise)
        states = tf.concat([z, states], axis=-1)
        return self.execution.product(states, self.linear.kernel) + self.linear.bias
