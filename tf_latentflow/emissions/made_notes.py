"""Chords whose notes depend on each other."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from bijectors import ConditionalMADE
from tf_latentflow.emissions.notes import BernoulliNotes, log_odds
from tf_latentflow.noise import NoiseSource

__all__ = ["MADENotes"]


class MADENotes(BernoulliNotes):
    """A chord whose notes are drawn one after the other, from the highest to the lowest.

        p(x[t, n] = 1 | x[t, n+1:], logits) = sigmoid(logits[n] + made(x[t, n+1:], p)[n])
        p = sigmoid(logits)

    A MADE with one hidden layer (Germain et al., 2015) corrects the log-odds of each note by the
    notes above it. The steps remain independent of each other given their logits.

    Notes that are given must be the highest ones of their step, or none: only their probability is
    a product of such factors, and only then can the rest be drawn given them.
    """

    def __init__(self, vocab_size: int, size: int | None = None, name: str = "symbols") -> None:
        super().__init__(vocab_size, size, name)
        units = max(size or 0, 2 * vocab_size)
        # Small outputs: at first the notes are all but independent.
        self.made = ConditionalMADE(
            vocab_size, 1, vocab_size, (units,), output_init=0.01, name="made"
        )

    def check_given(self, given: np.ndarray) -> None:
        given = np.asarray(given, bool)
        if np.any(given[..., :-1] & ~given[..., 1:]):
            raise ValueError(
                "expected given notes to be the highest of their step, because this model draws a "
                "chord from its highest note to its lowest; got steps where a note above a given "
                "one is missing"
            )

    def log_prob(
        self, logits: tf.Tensor, x: tf.Tensor, counted: tf.Tensor | None = None
    ) -> tf.Tensor:
        x = tf.broadcast_to(x, tf.shape(logits))
        corrections = self.made(_downwards(x), _downwards(tf.sigmoid(logits)))[..., 0]
        return super().log_prob(logits + _downwards(corrections), x, counted)

    def choose(
        self, logits: tf.Tensor, temperature: float | tf.Tensor, uniform: tf.Tensor
    ) -> tf.Tensor:
        nothing = tf.zeros(tf.shape(logits), tf.int32)
        return self._choose(logits, temperature, uniform, nothing, nothing > 0)

    def fill(
        self,
        logits: tf.Tensor,
        x: tf.Tensor,
        given: tf.Tensor,
        temperature: float | tf.Tensor,
        noise: NoiseSource,
    ) -> tf.Tensor:
        uniform = noise.uniform(tf.shape(logits), logits.dtype)
        return self._choose(logits, temperature, uniform, x, given)

    def _choose(
        self,
        logits: tf.Tensor,
        temperature: float | tf.Tensor,
        uniform: tf.Tensor,
        x: tf.Tensor,
        given: tf.Tensor,
    ) -> tf.Tensor:
        """`choose` with the notes of x where they are given."""
        odds = logits + tf.cast(temperature, logits.dtype) * log_odds(uniform)
        # What is given is decided already: an infinity that no correction changes.
        infinity = tf.constant(np.inf, odds.dtype)
        decided = tf.where(x > 0, infinity, -infinity)
        odds = _downwards(tf.where(given, decided, odds))
        corrections = self.made.given(_downwards(tf.sigmoid(logits)))

        def sweep(chord: tf.Tensor, changed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            drawn = tf.cast(odds + corrections(chord)[..., 0] > 0, odds.dtype)
            return drawn, tf.reduce_any(drawn != chord)

        # All notes at once, until none changes. A note is right when those above it are, so there
        # are at most V + 1 sweeps; there are few, because few notes sound together.
        start = (tf.zeros_like(odds), tf.constant(True))
        chord, _ = tf.while_loop(
            lambda chord, changed: changed, sweep, start, maximum_iterations=self.vocab_size + 1
        )
        return tf.cast(_downwards(chord), tf.int32)


def _downwards(notes: tf.Tensor) -> tf.Tensor:
    """`[..., V]` from the highest note to the lowest, or back."""
    return tf.reverse(notes, [-1])
