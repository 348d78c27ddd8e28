"""The observation of a step: its embedding, and its distribution given logits."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from tf_latentflow.layer import Layer
from tf_latentflow.noise import NoiseSource

__all__ = ["Symbols"]


class Symbols(Layer):
    """A distribution given logits, and an embedding whose matrix also turns features into logits.

    A subclass defines `x[t]`, of shape `event_shape`, by `indicators`, `log_prob` and `choose`.

    Args:
      vocab_size: V, number of symbols.
      size: E, size of the embedding; None for no embedding.
      name: Name of the layer.
    """

    initial_bias = 0.0

    def __init__(self, vocab_size: int, size: int | None = None, name: str = "symbols") -> None:
        super().__init__(name=name)
        self.vocab_size = vocab_size
        self.has_embedding = size is not None
        if size is not None:
            half_width = np.sqrt(6 / (vocab_size + size))  # Xavier's.
            bias = keras.initializers.Constant(self.initial_bias)
            self.embedding = self._add_uniform("embedding", (vocab_size, size), half_width)
            self.bias = self.add_weight((vocab_size,), bias, name="bias")
        self.built = True

    @property
    def symbol_weights(self) -> list[keras.Variable]:
        return [self.embedding, self.bias] if self.has_embedding else []

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of the observation of one step."""
        raise NotImplementedError

    @property
    def num_values(self) -> int:
        """How many values an entry of x may have, counted from 0."""
        raise NotImplementedError

    def check(self, x: tf.Tensor) -> None:
        """Checks that known values are valid symbols.

        Raises:
          ValueError: A value is out of range.
        """
        known = tf.get_static_value(x)
        if known is None or known.size == 0:
            return
        if known.min() < 0 or known.max() >= self.num_values:
            raise ValueError(
                f"expected values of x from 0 to {self.num_values - 1}; "
                f"got {known.min()} to {known.max()}"
            )

    def indicators(self, x: tf.Tensor) -> tf.Tensor:
        """int32 `[..., T, *event_shape]` to floats `[..., T, V]`: 1 for what `x[t]` contains."""
        raise NotImplementedError

    def embed(self, x: tf.Tensor) -> tf.Tensor:
        """int32 `[..., T, *event_shape]` to `[..., T, E]`."""
        return self.execution.product(self.indicators(x), self.embedding)

    def inputs(self, x: tf.Tensor) -> tf.Tensor:
        """What a network reads of x, `[..., T, n]`: the smaller of its indicators and embedding.

        `inputs(x) @ input_kernel(kernel)` is `embed(x) @ kernel`, but for rounding.
        """
        return self.indicators(x) if self._reads_indicators else self.embed(x)

    def input_kernel(self, kernel: tf.Tensor) -> tf.Tensor:
        """A kernel of the embedding, `[E, m]`, to one of `inputs`, `[n, m]`."""
        if self._reads_indicators:
            return self.execution.product(self.embedding, kernel)
        return tf.convert_to_tensor(kernel)

    @property
    def _reads_indicators(self) -> bool:
        return self.vocab_size <= self.embedding.shape[1]

    def logits(self, features: tf.Tensor) -> tf.Tensor:
        """Features `[..., E]` to logits `[..., V]`."""
        return self.execution.product(features, tf.transpose(self.embedding)) + self.bias

    def log_prob(
        self, logits: tf.Tensor, x: tf.Tensor, counted: tf.Tensor | None = None
    ) -> tf.Tensor:
        """`log p(x[t])`: logits `[..., T, V]`, x `[..., T, *event_shape]`, nats `[..., T]`.

        Leading dimensions of x broadcast against those of the logits. `counted`, bool of the shape
        of x, selects the entries of `x[t]` that count; None for all.
        """
        raise NotImplementedError

    def sample(
        self, logits: tf.Tensor, temperature: float | tf.Tensor, noise: NoiseSource
    ) -> tf.Tensor:
        """Draws int32 `[B, T, *event_shape]` from logits / temperature; the mode at 0."""
        logits = tf.convert_to_tensor(logits)
        return self.choose(logits, temperature, noise.uniform(tf.shape(logits), logits.dtype))

    def fill(
        self,
        logits: tf.Tensor,
        x: tf.Tensor,
        given: tf.Tensor,
        temperature: float | tf.Tensor,
        noise: NoiseSource,
    ) -> tf.Tensor:
        """`sample` given a part of `x [B, T, *event_shape]`, selected by `given`, bool like x."""
        return tf.where(given, x, self.sample(logits, temperature, noise))

    def check_given(self, given: np.ndarray) -> None:
        """Checks that `fill` and `log_prob` can treat the selected entries of x as given.

        Args:
          given: Bool `[..., T, *event_shape]`.

        Raises:
          ValueError: They cannot.
        """

    def choose(
        self, logits: tf.Tensor, temperature: float | tf.Tensor, uniform: tf.Tensor
    ) -> tf.Tensor:
        """`sample` as a function of numbers `[..., T, V]` uniform on [0, 1)."""
        raise NotImplementedError
