"""Symbols of a text."""

from __future__ import annotations

import tensorflow as tf

from bijectors.masks import zero_unless
from tf_latentflow.emissions.symbols import Symbols
from tf_latentflow.noise import gumbel

__all__ = ["CategoricalSymbols"]


class CategoricalSymbols(Symbols):
    """Characters: `x[t]` is one of V ids, and the Categorical normalises over all of them."""

    @property
    def event_shape(self) -> tuple[int, ...]:
        return ()

    @property
    def num_values(self) -> int:
        return self.vocab_size

    def indicators(self, x: tf.Tensor) -> tf.Tensor:
        # Unlike `tf.one_hot`, a look-up on a CPU refuses values out of range, if not compiled.
        return tf.gather(tf.eye(self.vocab_size, dtype=self.compute_dtype), x)

    def embed(self, x: tf.Tensor) -> tf.Tensor:
        return tf.gather(self.embedding, x)

    def log_prob(
        self, logits: tf.Tensor, x: tf.Tensor, counted: tf.Tensor | None = None
    ) -> tf.Tensor:
        x = tf.broadcast_to(x, tf.shape(logits)[:-1])
        # Flat, because the operation would assert at run time that unknown shapes agree.
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=tf.reshape(x, [-1]), logits=tf.reshape(logits, [-1, logits.shape[-1]])
        )
        log_probs = tf.ensure_shape(tf.reshape(-losses, tf.shape(x)), logits.shape[:-1])
        return log_probs if counted is None else zero_unless(counted, log_probs)

    def choose(
        self, logits: tf.Tensor, temperature: float | tf.Tensor, uniform: tf.Tensor
    ) -> tf.Tensor:
        # Gumbel-max: one expression for every temperature, 0 included.
        temperature = tf.cast(temperature, logits.dtype)
        return tf.argmax(logits + temperature * gumbel(uniform), axis=-1, output_type=tf.int32)
