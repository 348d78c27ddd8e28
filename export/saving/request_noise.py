"""Noise for requests: the noise of a row depends only on its seed, not on its batch."""

from __future__ import annotations

from typing import NamedTuple, Self

import tensorflow as tf

from tf_latentflow import Noise

__all__ = [
    "CONTINUATION",
    "LATENTS",
    "POSTERIOR",
    "SYMBOLS",
    "Drawn",
    "request_noise",
    "scoring_noise",
]

# The uses of the numbers.
LATENTS, SYMBOLS, POSTERIOR, CONTINUATION = range(4)


def request_noise(seeds: tf.Tensor) -> Noise:
    """The noise of rows with seeds int64 `[B]`, which serve as row numbers."""
    return Noise(tf.constant([0, 0]), seeds)


def scoring_noise() -> Noise:
    """The same noise for all rows, for requests without seeds."""
    return Noise(tf.constant([0x5C07E, 0]), tf.constant([0]))


class Drawn(NamedTuple):
    """Numbers drawn in advance, of which a model uses each kind once. A `NoiseSource`.

    Attributes:
      uniforms: Uniform on [0, 1), `[B, T, n]`.
      normals: N(0, 1), `[B, T, n]`; None for a model without latents.
    """

    uniforms: tf.Tensor
    normals: tf.Tensor | None = None

    def fold(self, data: int | tf.Tensor) -> Self:
        return self

    def normal(self, shape: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
        return tf.cast(self.normals, dtype)

    def uniform(self, shape: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
        return tf.cast(self.uniforms, dtype)
