"""Few numbers of steps, for functions that XLA compiles anew for each."""

from __future__ import annotations

import tensorflow as tf

__all__ = ["pad_steps", "rounded_steps"]


def rounded_steps(num_steps: int, max_length: int) -> int:
    """The smallest power of two that is at least `num_steps`, or `max_length` if that is less.

    More steps than `max_length` stay as they are.
    """
    return max(num_steps, min(1 << max(num_steps - 1, 0).bit_length(), max_length))


def pad_steps(values: tf.Tensor, num_steps: int | tf.Tensor) -> tf.Tensor:
    """`values [B, T, ...]` with zeros up to `num_steps`, at least T."""
    rest = [[0, 0]] * (values.shape.rank - 2)
    return tf.pad(values, [[0, 0], [0, num_steps - tf.shape(values)[1]], *rest])
