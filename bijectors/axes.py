"""Axes of tensors: moving one, shifting along time, static or dynamic sizes."""

from __future__ import annotations

import tensorflow as tf

__all__ = ["move_axis", "one_step_earlier", "size_of_axis"]


def move_axis(values: tf.Tensor, source: int, target: int) -> tf.Tensor:
    """Moves axis `source` to position `target`, like `numpy.moveaxis`.

    Args:
      values: A tensor of known rank.
      source: The axis to move; negative values count from the end.
      target: Its position in the result; negative values count from the end.
    """
    rank = len(values.shape)
    order = [axis for axis in range(rank) if axis != source % rank]
    order.insert(target % rank, source % rank)
    return tf.transpose(values, order)


def one_step_earlier(values: tf.Tensor) -> tf.Tensor:
    """Shifts `[..., T, H]` by one step: step `t` gets the vector of `t - 1`, step 0 gets zeros."""
    return tf.concat([tf.zeros_like(values[..., :1, :]), values[..., :-1, :]], axis=-2)


def size_of_axis(values: tf.Tensor, axis: int) -> int | tf.Tensor:
    """The size of an axis: a Python int if it is static, else a scalar tensor."""
    static = values.shape[axis]
    return tf.shape(values)[axis] if static is None else static
