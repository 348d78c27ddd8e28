"""Sequences drawn from a model, whatever they are made of."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

__all__ = ["draw_sequences", "padded"]

_BATCH = 256


def draw_sequences(
    model: keras.Model,
    n: int,
    *,
    seed: int,
    temperature: float = 1.0,
    length: int | None = None,
) -> list[np.ndarray]:
    """Draws sequences, int32 `[T, ...]` each.

    Args:
      model: A model with `sample` and `length_model`.
      n: Number of sequences.
      seed: The same seed gives the same sequences.
      temperature: 0 takes the most probable everywhere, 1 is the model's distribution.
      length: T of each, or None to draw it from p(T).
    """
    if length is None:
        lengths = model.length_model.sample(n, tf.constant([seed, 0], tf.int32)).numpy()
    else:
        lengths = np.full([n], length, np.int32)
    drawn = []
    for i in range(0, n, _BATCH):
        part = lengths[i : i + _BATCH]
        x = model.sample(
            tf.constant(part), temperature, tf.constant([seed, 1 + i // _BATCH], tf.int32)
        )
        drawn += [row[:size] for row, size in zip(x.numpy(), part, strict=True)]
    return drawn


def padded(sequences: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns arrays `[T, ...]` as a batch `[B, max T, ...]`, 0 beyond, and the lengths `[B]`."""
    lengths = np.array([len(x) for x in sequences], np.int32)
    batch = np.zeros((len(sequences), lengths.max(), *sequences[0].shape[1:]), sequences[0].dtype)
    for row, x in zip(batch, sequences, strict=True):
        row[: len(x)] = x
    return batch, lengths
