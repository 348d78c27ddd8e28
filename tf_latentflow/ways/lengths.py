"""Lengths of sequences as callers give them: whole numbers, in range."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["as_int32", "check_lengths", "require"]


def as_int32(values: Any) -> tf.Tensor:
    """Converts `values` to an int32 tensor.

    Raises:
      ValueError: They are not whole numbers.
    """
    values = tf.convert_to_tensor(values)
    if values.dtype.is_floating:
        known = tf.get_static_value(values)
        if known is None or not (known == np.floor(known)).all():
            raise ValueError(f"expected whole numbers; got {values.dtype.name}: cast them to int32")
    return tf.cast(values, tf.int32)


def check_lengths(lengths: tf.Tensor, num_steps: int | tf.Tensor | None = None) -> tf.Tensor:
    """Returns `lengths [B]`, which must be at least 0 and, if given, at most `num_steps`.

    In a graph they are checked when it runs, except where XLA compiles it.

    Raises:
      ValueError: They have another shape, or a known length is out of range.
      tf.errors.InvalidArgumentError: A length in a running graph is out of range.
    """
    if lengths.shape.rank != 1:
        raise ValueError(f"expected lengths [B]; got shape {lengths.shape}")
    known, most = (None if v is None else tf.get_static_value(v) for v in (lengths, num_steps))
    if known is None or (most is None and num_steps is not None):
        fits, below = lengths >= 0, []
        if num_steps is not None:
            fits, below = fits & (lengths <= num_steps), ["to", num_steps, ", the number of steps"]
        return require(fits, ["expected lengths from 0", *below, "; got", lengths], lengths)
    if known.size and (known.min() < 0 or (most is not None and known.max() > most)):
        limit = "" if most is None else f" to {most}, the number of steps"
        raise ValueError(f"expected lengths from 0{limit}; got {known.min()} to {known.max()}")
    return lengths


def require(condition: tf.Tensor, message: list[Any], values: tf.Tensor) -> tf.Tensor:
    """Returns `values` in a graph that fails with `message` if the condition is not all true."""
    with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(condition), message)]):
        return tf.identity(values)
