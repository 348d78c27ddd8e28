"""Noise that a row of a batch has from its own seed, wherever in whatever batch it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

__all__ = ["LATENTS", "POSTERIOR", "SYMBOLS", "row_normal", "row_uniform", "sample_normal"]

# The second half of a seed: what the numbers are for.
LATENTS, SYMBOLS, POSTERIOR = range(3)

# The same numbers on every device, today and after a restart.
_ALGORITHM = "philox"
_SCORING = 0x5C07E  # The first half of the seed where there is no row's.


def row_normal(seeds: tf.Tensor, stream: int, shape: Sequence[int]) -> tf.Tensor:
    """N(0, 1), float32 `[B, *shape]`, row b from `seeds[b]`, int64 `[B]`, and the stream alone.

    The shape is fixed, not the longest of a batch: numbers of a longer row need not begin like
    those of a shorter one.
    """
    return _rows(tf.random.stateless_normal, seeds, stream, shape)


def row_uniform(seeds: tf.Tensor, stream: int, shape: Sequence[int]) -> tf.Tensor:
    """Uniform on [0, 1), otherwise like `row_normal`."""
    return _rows(tf.random.stateless_uniform, seeds, stream, shape)


def sample_normal(chunk: int, index: tf.Tensor, shape: Sequence[int]) -> tf.Tensor:
    """N(0, 1), float32 `[chunk, 1, *shape]`, of the samples `index * chunk, ...` of every row."""
    seed = tf.stack([tf.constant(_SCORING, tf.int64), tf.cast(index, tf.int64)])
    return tf.random.stateless_normal([chunk, 1, *shape], seed, alg=_ALGORITHM)


def _rows(
    draw: Callable[..., tf.Tensor], seeds: tf.Tensor, stream: int, shape: Sequence[int]
) -> tf.Tensor:
    def row(seed: tf.Tensor) -> tf.Tensor:
        return draw(shape, tf.stack([seed, tf.constant(stream, tf.int64)]), alg=_ALGORITHM)

    spec = tf.TensorSpec(shape, tf.float32)
    return tf.map_fn(row, seeds, fn_output_signature=spec)
