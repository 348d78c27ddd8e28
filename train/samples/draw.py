"""Sequences drawn from a model, whatever they are made of."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

__all__ = ["draw_sequences", "padded"]

_MOST_ROWS = 256
_MOST_NUMBERS = 2**24  # Of noise that is drawn at once: 64 MB.


def draw_sequences(
    model: keras.Model,
    n: int,
    *,
    seed: int,
    temperature: float = 1.0,
    length: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[np.ndarray]:
    """Draws sequences, int32 `[T, ...]` each.

    Args:
      model: A model with `sample` and `length_model`.
      n: Number of sequences.
      seed: The same seed gives the same sequences.
      temperature: 0 takes the most probable everywhere, 1 is the model's distribution.
      length: T of each, or None to draw it from p(T).
      progress: Told after each batch how many of how many sequences are drawn.
    """
    if length is None:
        lengths = model.length_model.sample(n, tf.constant([seed, 0], tf.int32)).numpy()
    else:
        lengths = np.full([n], length, np.int32)
    rows = max(1, min(_MOST_ROWS, _MOST_NUMBERS // (int(lengths.max()) * model.config.vocab_size)))
    drawn = []
    for k, i in enumerate(range(0, n, rows)):
        part = lengths[i : i + rows]
        x = model.sample(tf.constant(part), temperature, tf.constant([seed, 1 + k], tf.int32))
        drawn += [row[:size] for row, size in zip(x.numpy(), part, strict=True)]
        if progress:
            progress(len(drawn), n)
    return drawn


def padded(sequences: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns arrays `[T, ...]` as a batch `[B, max T, ...]`, 0 beyond, and the lengths `[B]`."""
    lengths = np.array([len(x) for x in sequences], np.int32)
    batch = np.zeros((len(sequences), lengths.max(), *sequences[0].shape[1:]), sequences[0].dtype)
    for row, x in zip(batch, sequences, strict=True):
        row[: len(x)] = x
    return batch, lengths
