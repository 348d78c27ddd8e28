"""Moving one axis of a tensor: the transposes of this package and of those that build on it."""

from __future__ import annotations

import tensorflow as tf

__all__ = ["move_axis", "one_step_earlier", "size_of_axis"]


def move_axis(values: tf.Tensor, source: int, target: int) -> tf.Tensor:
    """Moves axis `source` to place `target`, as `numpy.moveaxis`; negative ones count from the end.

    Args:
      values: Of known rank.
      source: The axis.
      target: Its place in the result.
    """
    rank = len(values.shape)
    order = [axis for axis in range(rank) if axis != source % rank]
    order.insert(target % rank, source % rank)
    return tf.transpose(values, order)


def one_step_earlier(values: tf.Tensor) -> tf.Tensor:
    """`[..., T, H]`, at each step the vector of the step before it, 0 at the first."""
    return tf.concat([tf.zeros_like(values[..., :1, :]), values[..., :-1, :]], axis=-2)


def size_of_axis(values: tf.Tensor, axis: int) -> int | tf.Tensor:
    """The size of an axis, as a number where it is known."""
    static = values.shape[axis]
    return tf.shape(values)[axis] if static is None else static
