"""Chords of independent notes."""

from __future__ import annotations

import tensorflow as tf

from bijectors.masks import zero_unless
from tf_latentflow.emissions.symbols import Symbols
from tf_latentflow.noise import positive

__all__ = ["BernoulliNotes", "log_odds"]


class BernoulliNotes(Symbols):
    """A chord: `x[t, n]` is 1 if note n sounds, `x[t]` is `[V]`, the notes independent.

    The embedding of a chord is the sum of those of its notes.
    """

    initial_bias = -3.0  # About the log-odds of a note in music: 4 of 88 sound at a time.

    @property
    def event_shape(self) -> tuple[int, ...]:
        return (self.vocab_size,)

    @property
    def num_values(self) -> int:
        return 2

    def indicators(self, x: tf.Tensor) -> tf.Tensor:
        return tf.cast(x, self.compute_dtype)

    def log_prob(
        self, logits: tf.Tensor, x: tf.Tensor, counted: tf.Tensor | None = None
    ) -> tf.Tensor:
        sign = tf.cast(2 * x - 1, logits.dtype)
        log_probs = tf.math.log_sigmoid(sign * logits)
        if counted is not None:
            log_probs = zero_unless(counted, log_probs)
        return tf.reduce_sum(log_probs, axis=-1)

    def choose(
        self, logits: tf.Tensor, temperature: float | tf.Tensor, uniform: tf.Tensor
    ) -> tf.Tensor:
        # u < sigmoid(logits / t) is logits + t * logistic > 0, which needs no division by t = 0.
        temperature = tf.cast(temperature, logits.dtype)
        return tf.cast(logits + temperature * log_odds(uniform) > 0, tf.int32)


def log_odds(uniform: tf.Tensor) -> tf.Tensor:
    """`log(u / (1 - u))`: a sample of the logistic distribution from one uniform on [0, 1)."""
    uniform = positive(uniform)
    return tf.math.log(uniform) - tf.math.log1p(-uniform)
