"""Codebooks: a normal distribution of the latent vector for every symbol, or for every chord."""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from bijectors import Execution
from tf_latentflow.layer import Layer

__all__ = ["Codebook", "NoteCodebook", "SymbolCodebook"]

_FIRST_LOG_STD = -1.5
# The symbols' quadratic forms are added up in float32: narrower ones would lose it in rounding.
_LEAST_LOG_STD = -5.0


class Codebook(Layer):
    """A table of normal distributions. Values of `log s` below -5 count as -5.

    Args:
      shape: Shape of the table.
      initializer: Of the means.
      name: Name of the layer.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        initializer: keras.initializers.Initializer,
        name: str = "codebook",
    ) -> None:
        super().__init__(name=name)
        self._mean = self.add_weight(shape, initializer, name="mean")
        first = keras.initializers.Constant(_FIRST_LOG_STD)
        self._log_std = self.add_weight(shape, first, name="log_std")
        self.built = True

    @property
    def mean(self) -> tf.Tensor:
        """`mu`, of the shape of the table."""
        return tf.convert_to_tensor(self._mean)

    @property
    def log_std(self) -> tf.Tensor:
        """`log s`, of the shape of the table."""
        return tf.maximum(tf.convert_to_tensor(self._log_std), _LEAST_LOG_STD)

    def of_symbols(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Mean and log std of `q(z | x)`, each `[..., H]`, from `x [..., *event_shape]`."""
        raise NotImplementedError

    def logits(self, z: tf.Tensor, log_weight: tf.Tensor | float = 0.0) -> tf.Tensor:
        """Logits of x by Bayes' rule, from `z [..., H]` to `[..., V]`.

        Args:
          z: Latents.
          log_weight: Added to them, `[V]`; 0 for equal weights.
        """
        raise NotImplementedError

    def probs(self, z: tf.Tensor) -> tf.Tensor:
        """The probabilities of these logits, with equal weights: `[..., V]`."""
        raise NotImplementedError


class SymbolCodebook(Codebook):
    """`q(z | x = k) = N(z; mu[k], diag s[k]^2)`, a table of V rows.

    Source: Lippe & Gavves (2021), *Categorical Normalizing Flows via Continuous Transformations*.

    Args:
      vocab_size: V.
      latent_size: H.
      name: Name of the layer.
    """

    def __init__(self, vocab_size: int, latent_size: int, name: str = "codebook") -> None:
        normal = keras.initializers.RandomNormal(stddev=1)
        super().__init__((vocab_size, latent_size), normal, name)

    @property
    def symbol_weights(self) -> list[keras.Variable]:
        return [self._mean, self._log_std]

    def of_symbols(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.gather(self.mean, x), tf.gather(self.log_std, x)

    def logits(self, z: tf.Tensor, log_weight: tf.Tensor | float = 0.0) -> tf.Tensor:
        """`log q(z | x = k) + log_weight[k]` for every k, in nats.

        It is linear in `(z^2, z, 1)`, so it takes two products with matrices `[H, V]`. One product
        with a matrix `[2 H + 1, V]` is no faster.
        """
        mean, precision = self.mean, tf.exp(-2 * self.log_std)
        constant = -0.5 * tf.reduce_sum(tf.square(mean) * precision, axis=-1)
        constant -= tf.reduce_sum(self.log_std, axis=-1)
        constant += log_weight - 0.5 * mean.shape[-1] * math.log(2 * math.pi)
        # Never rounded: what these terms are large by cancels in their sum.
        product = Execution().product
        quadratic = product(tf.square(z), tf.transpose(-0.5 * precision))
        return quadratic + product(z, tf.transpose(mean * precision)) + constant

    def probs(self, z: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax(self.logits(z))


class NoteCodebook(Codebook):
    """`q(z[n] | x[n] = k) = N(z[n]; mu[k, n], s[k, n]^2)`, k = 0, 1: off and on.

    A chord is a vector with as many dimensions as there are notes, so the flow within a step is a
    flow over notes.

    Args:
      num_notes: V, which is also H.
      name: Name of the layer.
    """

    def __init__(self, num_notes: int, name: str = "codebook") -> None:
        off_and_on = keras.initializers.Constant([[-1.0] * num_notes, [1.0] * num_notes])
        super().__init__((2, num_notes), off_and_on, name)

    def of_symbols(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # Products take less time than `tf.where`.
        on = tf.cast(x > 0, self.compute_dtype)
        tables = self.mean, self.log_std
        mean, log_std = ((1 - on) * table[0] + on * table[1] for table in tables)
        return mean, log_std

    def logits(self, z: tf.Tensor, log_weight: tf.Tensor | float = 0.0) -> tf.Tensor:
        """`log q(z[n] | x[n] = 1) - log q(z[n] | x[n] = 0) + log_weight[n]` of each note n."""
        log_std = self.log_std
        distance = (z[..., None, :] - self.mean) * tf.exp(-log_std)
        log_prob = -0.5 * tf.square(distance) - log_std  # Without the constant of both.
        return log_prob[..., 1, :] - log_prob[..., 0, :] + log_weight

    def probs(self, z: tf.Tensor) -> tf.Tensor:
        return tf.sigmoid(self.logits(z))
