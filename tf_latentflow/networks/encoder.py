"""The inference network: a mean-field Gaussian for every step, from a BiLSTM over x."""

from __future__ import annotations

import keras
import tensorflow as tf

from tf_latentflow.config import ModelConfig
from tf_latentflow.networks.layer import Layer
from tf_latentflow.networks.lstm import BiLSTM, stateless_dropout
from tf_latentflow.networks.positions import Positions
from tf_latentflow.noise import NoiseSource

__all__ = ["InferenceNetwork"]


class InferenceNetwork(Layer):
    """`q(z[t] | x, T) = N(mean, std^2)`, from the states of a BiLSTM over the embedded x.

    Args:
      config: Sizes.
      name: Name of the layer.
    """

    def __init__(self, config: ModelConfig, name: str = "inference_network") -> None:
        super().__init__(name=name)
        size = config.hidden_size
        self._dropout = config.posterior_dropout
        self.bilstm = BiLSTM(size, size, config.num_lstm_layers, config.max_length, name="bilstm")
        self.outputs = keras.layers.Dense(
            2 * config.latent_size, name="outputs", dtype=self.dtype_policy
        )
        self.outputs.build((None, 2 * size))
        self.built = True

    def call(
        self,
        embedded: tf.Tensor,
        lengths: tf.Tensor,
        positions: Positions,
        dropout_noise: NoiseSource | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """From `embedded [B, T, E]` and int32 `lengths [B]`: mean and log std, `[B, T, H]` each.

        Dropout is applied to the states where noise is given.
        """
        states = tf.concat(self.bilstm(embedded, lengths, positions), axis=-1)
        states = stateless_dropout(states, self._dropout, dropout_noise)
        mean, log_std = tf.split(self.outputs(states), 2, axis=-1)
        return mean, log_std
