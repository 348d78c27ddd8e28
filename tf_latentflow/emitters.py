"""Emitters: what an observed step is given the latents, every step independent of the others."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from tf_latentflow.config import ModelConfig
from tf_latentflow.layer import Layer
from tf_latentflow.lstm import BiLSTM
from tf_latentflow.positions import Positions

__all__ = ["CategoricalSymbols", "Emitter"]


class CategoricalSymbols(Layer):
    """Characters: an embedding, and a Categorical whose logits use the same matrix.

    Args:
      vocab_size: Number of symbols; the Categorical normalises over all of them.
      size: Size of the embedding.
      init: Half-width of the uniform initialisation of the embedding.
      name: Name of the layer.
    """

    def __init__(
        self, vocab_size: int, size: int, init: float | None = None, name: str = "symbols"
    ) -> None:
        super().__init__(name=name)
        self._shape = (vocab_size, size)
        half_width = np.sqrt(6 / (vocab_size + size)) if init is None else init
        self._init = keras.initializers.RandomUniform(-half_width, half_width)
        self.build()

    def build(self, input_shape: None = None) -> None:
        self.embedding = self.add_weight(self._shape, self._init, name="embedding")
        self.bias = self.add_weight(self._shape[:1], "zeros", name="bias")
        self.built = True

    def embed(self, x: tf.Tensor) -> tf.Tensor:
        """int32 `[..., T]` to `[..., T, size]`."""
        return tf.gather(self.embedding, x)

    def logits(self, features: tf.Tensor) -> tf.Tensor:
        """`[..., size]` to `[..., vocab_size]`."""
        return tf.tensordot(features, tf.transpose(self.embedding), 1) + self.bias

    def log_prob(self, features: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        """`log p(x[t])` in nats, `[..., T]`: features `[..., T, size]`, x `[..., T]` broadcast."""
        logits = self.logits(features)
        x = tf.broadcast_to(x, tf.shape(logits)[:-1])
        return -tf.nn.sparse_softmax_cross_entropy_with_logits(labels=x, logits=logits)

    def sample(
        self, features: tf.Tensor, temperature: float | tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        """Draws int32 `[..., T]` from softmax(logits / temperature), or the argmax at 0."""
        logits = self.logits(features)
        # Gumbel-max: one expression for every temperature, 0 included.
        uniform = tf.random.stateless_uniform(tf.shape(logits), seed, dtype=logits.dtype)
        tiny = tf.constant(np.finfo(logits.dtype.as_numpy_dtype).tiny, logits.dtype)
        gumbel = -tf.math.log(-tf.math.log(tf.maximum(uniform, tiny)))
        temperature = tf.cast(temperature, logits.dtype)
        return tf.argmax(logits + temperature * gumbel, axis=-1, output_type=tf.int32)


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
        self.bilstm = BiLSTM(
            config.latent_size, size, config.num_lstm_layers, config.max_length, name="bilstm"
        )
        self.linear = keras.layers.Dense(size, name="linear", dtype=self.dtype_policy)
        self.linear.build((None, config.latent_size + 2 * size))
        self.built = True

    def call(self, z: tf.Tensor, lengths: tf.Tensor, positions: Positions) -> tf.Tensor:
        """From `z [..., B, T, H]`, zero beyond the lengths, to features `[..., B, T, size]`."""
        ahead, behind = self.bilstm(z, lengths, positions)
        inside = tf.sequence_mask(lengths, tf.shape(z)[-2])[..., None]
        behind = tf.where(inside, behind, tf.zeros_like(behind))
        ahead = tf.concat([tf.zeros_like(ahead[..., :1, :]), ahead[..., :-1, :]], axis=-2)
        behind = tf.concat([behind[..., 1:, :], tf.zeros_like(behind[..., :1, :])], axis=-2)
        return self.linear(tf.concat([z, ahead, behind], axis=-1))
