"""Sequences with time as their first axis, as a loop over the steps reads them."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from bijectors.axes import move_axis

__all__ = ["add_offset", "batch_major", "flip_within", "time_major"]


def add_offset(projected: tf.Tensor, offset: tf.Tensor) -> tf.Tensor:
    """Adds `offset [T, B, n]` to every copy of the batch in `projected [T, N, n]`."""
    shape, batch = tf.shape(projected), tf.shape(offset)[1]
    copies = shape[1] // tf.maximum(batch, 1)
    copied = tf.reshape(projected, [shape[0], copies, batch, projected.shape[-1]])
    copied += tf.expand_dims(offset, 1)
    return tf.ensure_shape(tf.reshape(copied, shape), projected.shape)


def flip_within(lengths: tf.Tensor, num_steps: tf.Tensor) -> Callable[[tf.Tensor], tf.Tensor]:
    """A function that reverses the steps of every row `[T, N, n]` within its length, int32 `[N]`.

    As a look-up, whose gradient is the same look-up: several times as fast as
    `tf.reverse_sequence`, which goes element by element.
    """
    steps = tf.range(num_steps)[:, None]
    sources = tf.where(steps < lengths, lengths - 1 - steps, steps)
    num_rows = tf.shape(lengths)[0]
    index = tf.reshape(sources * num_rows + tf.range(num_rows), [-1])

    @tf.custom_gradient
    def flip(values: tf.Tensor) -> tuple[tf.Tensor, object]:
        def look_up(values: tf.Tensor) -> tf.Tensor:
            flat = tf.reshape(values, [-1, values.shape[-1]])
            return tf.ensure_shape(
                tf.reshape(tf.gather(flat, index), tf.shape(values)), values.shape
            )

        return look_up(values), look_up

    return flip


def time_major(values: tf.Tensor) -> tf.Tensor:
    """`[..., T, n]` to `[T, N, n]`."""
    rows = tf.reshape(values, tf.concat([[-1], tf.shape(values)[-2:]], 0))
    rows.set_shape([values.shape[:-2].num_elements(), *values.shape[-2:]])
    return move_axis(rows, 0, 1)


def batch_major(values: tf.Tensor) -> tf.Tensor:
    """`[T, N, n]` to `[N, T, n]`."""
    return move_axis(values, 0, 1)
