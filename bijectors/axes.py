"""Axes of tensors: moving one, shifting along time, static or dynamic sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import tensorflow as tf

__all__ = [
    "StepsMap",
    "can_broadcast",
    "every",
    "later",
    "map_every",
    "move_axis",
    "size_of_axis",
    "spread",
]

# From steps to what they are mapped to, and the log-determinant of each.
StepsMap: TypeAlias = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def move_axis(values: tf.Tensor, source: int, target: int) -> tf.Tensor:
    """Moves axis `source` to position `target`, like `numpy.moveaxis`.

    Args:
      values: A tensor.
      source: The axis to move; negative values count from the end.
      target: Its position in the result; negative values count from the end.
    """
    if values.shape.rank is None:
        rank = tf.rank(values)
        source, target = source % rank, target % rank
        others = tf.concat([tf.range(source), tf.range(source + 1, rank)], axis=0)
        return tf.transpose(values, tf.concat([others[:target], [source], others[target:]], axis=0))
    rank = len(values.shape)
    order = [axis for axis in range(rank) if axis != source % rank]
    order.insert(target % rank, source % rank)
    return tf.transpose(values, order)


def later(values: tf.Tensor, steps: int, num_steps: int | tf.Tensor | None = None) -> tf.Tensor:
    """`[..., T, H]` moved to later steps, or to earlier ones if negative; zeros come in.

    The result has T steps, or `num_steps`.
    """
    ahead, behind, size = max(steps, 0), max(-steps, 0), size_of_axis(values, -2)
    missing = 0 if num_steps is None else tf.maximum(num_steps - size, 0)
    padded = tf.pad(values, [*_of_leading(values), [ahead, behind + missing], [0, 0]])
    return _slice_of_steps(padded, behind, size if num_steps is None else num_steps)


def size_of_axis(values: tf.Tensor, axis: int) -> int | tf.Tensor:
    """The size of an axis: a Python int if it is static, else a scalar tensor."""
    static = values.shape[axis]
    return tf.shape(values)[axis] if static is None else static


def can_broadcast(ours: tf.TensorShape, theirs: tf.TensorShape) -> bool:
    """Whether two shapes broadcast; sizes that are not known yet do."""
    try:
        tf.broadcast_static_shape(ours, theirs)
    except ValueError:
        return False
    return True


def every(values: tf.Tensor, stride: int, first: int = 0) -> tf.Tensor:
    """`values[..., first::stride, :]` of `[..., T, H]`, for first < stride."""
    num_steps = size_of_axis(values, -2)
    count = (num_steps + stride - 1 - first) // stride
    missing = tf.maximum(count * stride - num_steps, 0)
    values = tf.pad(values, [*_of_leading(values), [0, missing], [0, 0]])
    size = values.shape[-1]
    rows = _reshape(_slice_of_steps(values, 0, count * stride), count, stride * size)
    leading = [0] * (len(values.shape) - 1)
    return tf.slice(rows, [*leading, first * size], [*(-1 for _ in leading), size])


def spread(values: tf.Tensor, stride: int, num_steps: int | tf.Tensor, first: int = 0) -> tf.Tensor:
    """Undoes `every`: returns `[..., T, H]`, with zeros at the other steps.

    Args:
      values: The vectors of the steps first, first + stride, first + 2 stride, ...
      stride: Distance between them.
      num_steps: T.
      first: The first of these steps, less than stride.
    """
    count, size = size_of_axis(values, -2), values.shape[-1]
    around = [first * size, (stride - 1 - first) * size]
    rows = tf.pad(values, [*_of_leading(values), [0, 0], around])
    steps = _reshape(rows, count * stride, size)
    # The last block is cut off or, if it has no vector, missing.
    missing = tf.maximum(num_steps - count * stride, 0)
    steps = tf.pad(steps, [*_of_leading(values), [0, missing], [0, 0]])
    return _slice_of_steps(steps, 0, num_steps)


def map_every(
    stride: int, steps: StepsMap, values: tf.Tensor, first: int = 0
) -> tuple[tf.Tensor, tf.Tensor]:
    """Maps the steps first, first + stride, ... of `[..., T, H]` and leaves the others as they are.

    Returns:
      `[..., T, H]`, and the log-determinant of each step, `[..., T]`.
    """
    if stride == 1:
        return steps(values)
    mapped, log_det = steps(every(values, stride, first))
    num_steps = size_of_axis(values, -2)
    chosen = tf.range(num_steps)[:, None] % stride == first
    mapped = tf.where(chosen, spread(mapped, stride, num_steps, first), values)
    return mapped, spread(log_det[..., None], stride, num_steps, first)[..., 0]


def _of_leading(values: tf.Tensor) -> list[list[int]]:
    return [[0, 0]] * (len(values.shape) - 2)


def _reshape(values: tf.Tensor, num_steps: int | tf.Tensor, size: int) -> tf.Tensor:
    joined = tf.reshape(values, tf.concat([tf.shape(values)[:-2], [num_steps, size]], 0))
    static = None if tf.is_tensor(num_steps) else num_steps
    return tf.ensure_shape(joined, [*values.shape[:-2], static, size])


def _slice_of_steps(values: tf.Tensor, start: int, num_steps: int | tf.Tensor) -> tf.Tensor:
    """`values[..., start : start + num_steps, :]`. Its gradient pads, and is the faster one."""
    before = [0] * (len(values.shape) - 2)
    found = tf.slice(values, [*before, start, 0], [*(-1 for _ in before), num_steps, -1])
    static = None if tf.is_tensor(num_steps) else num_steps
    return tf.ensure_shape(found, [*values.shape[:-2], static, values.shape[-1]])
