"""Particles: several weighted proposals `[K, B, ...]` for every row of a batch."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from bijectors.axes import move_axis
from tf_latentflow.noise import NoiseSource, gumbel

__all__ = ["as_particles", "as_rows", "chosen", "pick"]


def as_rows(values: tf.Tensor) -> tf.Tensor:
    """`[K, B, ...]` to `[K * B, ...]`."""
    return tf.reshape(values, tf.concat([[-1], tf.shape(values)[2:]], axis=0))


def as_particles(rows: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """`[K * B, ...]` to `[K, B, ...]`; `like` is `[K, B]`."""
    return tf.reshape(rows, tf.concat([tf.shape(like), tf.shape(rows)[1:]], axis=0))


def pick(log_weight: tf.Tensor, noise: NoiseSource) -> tf.Tensor:
    """Picks one particle per row with odds `exp(log_weight)`: from `[K, B]` to int32 `[B]`."""
    shape = tf.concat([tf.shape(log_weight), [1, 1]], axis=0)
    uniform = noise.uniform(shape, log_weight.dtype)[..., 0, 0]
    # A particle that is impossible, or beyond the range of numbers, is never picked.
    minus_infinity = tf.constant(-np.inf, log_weight.dtype)
    possible = tf.where(tf.math.is_nan(log_weight), minus_infinity, log_weight)
    return tf.argmax(possible + gumbel(uniform), output_type=tf.int32)


def chosen(values: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
    """The particle of each row with number `index [B]`: from `[K, B, ...]` to `[B, ...]`."""
    return tf.gather(move_axis(values, 0, 1), index, axis=1, batch_dims=1)
