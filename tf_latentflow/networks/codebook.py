"""A codebook: a normal distribution of the latent vector for every symbol."""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from tf_latentflow.networks.layer import Layer

__all__ = ["Codebook"]

_FIRST_LOG_STD = -1.5
# The symbols' quadratic forms are added up in float32: narrower ones would lose it in rounding.
_LEAST_LOG_STD = -5.0


class Codebook(Layer):
    """`q(z | x = k) = N(z; mu[k], diag s[k]^2)`, a table of V rows.

    Source: Lippe & Gavves (2021), *Categorical Normalizing Flows via Continuous Transformations*.
    Values of `log s` below -5 count as -5.

    Args:
      vocab_size: V.
      latent_size: H.
      name: Name of the layer.
    """

    def __init__(self, vocab_size: int, latent_size: int, name: str = "codebook") -> None:
        super().__init__(name=name)
        shape = (vocab_size, latent_size)
        self._mean = self.add_weight(shape, keras.initializers.RandomNormal(stddev=1), name="mean")
        first = keras.initializers.Constant(_FIRST_LOG_STD)
        self._log_std = self.add_weight(shape, first, name="log_std")
        self.built = True

    @property
    def mean(self) -> tf.Tensor:
        """`mu`, `[V, H]`."""
        return tf.convert_to_tensor(self._mean)

    @property
    def log_std(self) -> tf.Tensor:
        """`log s`, `[V, H]`."""
        return tf.maximum(tf.convert_to_tensor(self._log_std), _LEAST_LOG_STD)

    def of_symbols(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Mean and log std of the symbols `x [...]`, each `[..., H]`."""
        return tf.gather(self.mean, x), tf.gather(self.log_std, x)

    def log_prob(self, z: tf.Tensor) -> tf.Tensor:
        """`log q(z | x = k)` for every k, from `z [..., H]` to nats `[..., V]`.

        It is linear in `(z^2, z, 1)`, so it takes two products with matrices `[H, V]`.
        """
        mean, precision = self.mean, tf.exp(-2 * self.log_std)
        constant = -0.5 * tf.reduce_sum(tf.square(mean) * precision, axis=-1)
        constant -= tf.reduce_sum(self.log_std, axis=-1)
        constant -= 0.5 * mean.shape[-1] * math.log(2 * math.pi)
        # Never rounded: what these terms are large by cancels in their sum.
        quadratic = tf.tensordot(tf.square(z), tf.transpose(-0.5 * precision), 1)
        return quadratic + tf.tensordot(z, tf.transpose(mean * precision), 1) + constant
