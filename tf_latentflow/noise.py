"""Random numbers for batches: those of a row do not depend on the other rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, Self, TypeAlias

import numpy as np
import tensorflow as tf

from bijectors.loops import scan

__all__ = ["Noise", "NoiseSource", "Seed", "gumbel", "noise_of", "positive", "seed_of"]


class NoiseSource(Protocol):
    """Source of the random numbers of a model.

    Example:
      >>> from tf_latentflow import NoiseSource
      >>> class Zeros:  # No randomness at all, for a test.
      ...     def fold(self, data):
      ...         return self
      ...     def normal(self, shape, dtype):
      ...         return tf.zeros(shape, dtype)
      ...     def uniform(self, shape, dtype):
      ...         return tf.fill(shape, tf.constant(0.5, dtype))
      >>> source: NoiseSource = Zeros()
      >>> source.fold(1).normal([1, 2, 1], tf.float32).shape
      TensorShape([1, 2, 1])
    """

    def fold(self, data: int | tf.Tensor) -> Self:
        """Another source, determined by this one and `data`."""

    def normal(self, shape: Any, dtype: tf.DType) -> tf.Tensor:
        """N(0, 1) of shape `[..., B, T, n]`."""

    def uniform(self, shape: Any, dtype: tf.DType) -> tf.Tensor:
        """Uniform on [0, 1), of shape `[..., B, T, n]`."""


class Noise(NamedTuple):
    """Random numbers that are a function of a seed and of the row's number. A `NoiseSource`.

    A batch may be split across devices, put together differently or padded further: a row that
    keeps its number keeps its noise. Draw from a source only once; `fold` derives the source of the
    next draw. A function that XLA compiles draws other numbers than one that it does not compile.

    Attributes:
      seed: int32 `[2]`.
      rows: Number of each row, int32 or int64 `[B]`. With `[1]`, all rows have the same numbers:
        what is drawn is `[..., 1, T, n]`.

    Example:
      >>> from tf_latentflow import Noise
      >>> both = Noise(tf.constant([0, 0]), tf.constant([0, 1])).normal([2, 3, 1], tf.float32)
      >>> second = Noise(tf.constant([0, 0]), tf.constant([1])).normal([1, 3, 1], tf.float32)
      >>> bool(tf.reduce_all(both[1] == second[0]))  # A row's noise does not depend on its batch.
      True
    """

    seed: tf.Tensor
    rows: tf.Tensor

    def fold(self, data: int | tf.Tensor) -> Noise:
        """The noise of the same rows for another purpose or another step."""
        data = tf.cast(data, tf.int32)
        return Noise(tf.stack([_hashed(self.seed), data]), self.rows)

    def normal(self, shape: Any, dtype: tf.DType) -> tf.Tensor:
        """N(0, 1) of shape `[..., B, T, n]`; a shorter T gives the first steps of a longer one."""
        return self._draw(tf.random.stateless_normal, shape, dtype)

    def uniform(self, shape: Any, dtype: tf.DType) -> tf.Tensor:
        """Uniform on [0, 1), otherwise like `normal`."""
        return self._draw(tf.random.stateless_uniform, shape, dtype)

    def _draw(self, draw: Callable[..., tf.Tensor], shape: Any, dtype: tf.DType) -> tf.Tensor:
        # A seed gives the same numbers in both precisions, so that likelihoods can be compared.
        drawn = tf.float32 if dtype == tf.float64 else dtype
        shape = tf.convert_to_tensor(shape, tf.int32)
        rank = int(shape.shape[0])
        known = tf.get_static_value(shape, partial=True)
        asked = None if known is None else known[-3]
        if asked is not None and self.rows.shape[0] not in (None, 1, asked):
            raise ValueError(f"expected noise of {self.rows.shape[0]} rows; got {asked} to draw")
        # Time first, for then T decides how many numbers there are, and not which come first.
        own = tf.concat([shape[-2:-1], shape[:-3], shape[-1:]], axis=0)
        rows = _graph_of_rows if tf.executing_eagerly() else _draw_rows
        values = rows(draw, self.seed, self.rows, own, drawn, rank - 1)
        return tf.cast(tf.transpose(values, [*range(2, rank - 1), 0, 1, rank - 1]), dtype)


def _draw_rows(
    draw: Callable[..., tf.Tensor],
    seed: tf.Tensor,
    rows: tf.Tensor,
    shape: tf.Tensor,
    dtype: tf.DType,
    rank: int,
) -> tf.Tensor:
    """Numbers `[B, *shape]`, each row's from the seed and its own number."""
    known = tf.get_static_value(shape, partial=True)
    known = tf.TensorShape([None] * rank if known is None else list(known))
    first = tf.cast(_hashed(seed), rows.dtype)

    def row(state: tuple[()], number: tf.Tensor) -> tuple[tuple[()], tf.Tensor]:
        return state, draw(shape, tf.stack([first, number]), dtype=dtype)

    return scan(row, (), rows, tf.TensorSpec(known, dtype))[1]


# A loop that runs operation by operation takes a millisecond a row.
_graph_of_rows = tf.function(_draw_rows, autograph=False, reduce_retracing=True)


Seed: TypeAlias = int | tf.Tensor | NoiseSource | None
"""What methods of a model take as their `seed`; see `SequenceModel`."""


def noise_of(seed: Any, num_rows: int | tf.Tensor) -> NoiseSource:
    """The noise source for a seed.

    Args:
      seed: See `seed_of`; or a `NoiseSource`.
      num_rows: B. With a seed, rows are numbered from 0.
    """
    if hasattr(seed, "fold"):
        return seed
    return Noise(seed_of(seed), tf.range(num_rows))


def seed_of(seed: Any, purpose: int = 0) -> tf.Tensor:
    """The seed, int32 `[2]`, that a caller means.

    Args:
      seed: A whole number; a pair of them; or None for a new seed at every call.
      purpose: Other numbers for the same whole number; a pair determines both.

    Raises:
      ValueError: The seed is something else, a number outside 0 .. 2^31 - 1, or no int32 pair.
    """
    if seed is None:
        return _fresh_seed()
    if isinstance(seed, int) and seed.bit_length() > 63:
        raise ValueError(f"expected a seed from 0 to 2147483647; got {seed}")
    seed = tf.convert_to_tensor(seed)
    known = tf.get_static_value(seed)
    if not seed.dtype.is_integer or seed.shape.rank is None or seed.shape not in ([], [2]):
        got = f"{seed.dtype.name} {seed.shape}" if known is None else known
        raise ValueError(f"expected a seed that is a whole number or a pair of them; got {got}")
    least = -(2**31) if seed.shape.rank else 0  # `tf.random.split` gives pairs of any int32.
    if known is not None and not least <= known.min() <= known.max() < 2**31:
        raise ValueError(f"expected a seed from {least} to 2147483647; got {known}")
    seed = tf.cast(seed, tf.int32)
    return seed if seed.shape.rank else tf.stack([seed, purpose])


def _fresh_seed() -> tf.Tensor:
    """A new seed at every call, int32 `[2]`; `keras.utils.set_random_seed` makes the calls repeat.

    It is an operation rather than a number, because a graph would keep the number forever. XLA
    would not let it repeat, so draw it outside of compiled functions.
    """
    return tf.random.uniform([2], maxval=tf.int32.max, dtype=tf.int32)


def _hashed(seed: tf.Tensor) -> tf.Tensor:
    """An int32 number determined by a seed."""
    return tf.random.stateless_uniform([], seed, minval=None, maxval=None, dtype=tf.int32)


def positive(uniform: tf.Tensor) -> tf.Tensor:
    """From [0, 1) to (0, 1): its logarithm is finite."""
    return tf.maximum(uniform, np.finfo(uniform.dtype.as_numpy_dtype).tiny)


def gumbel(uniform: tf.Tensor) -> tf.Tensor:
    """Standard Gumbel noise from uniform numbers: `argmax(logits + gumbel)` draws a category."""
    return -tf.math.log(-tf.math.log(positive(uniform)))
