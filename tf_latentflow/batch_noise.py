"""Random numbers of a batch that do not depend on how its rows are dealt to devices."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from typing import NamedTuple

import tensorflow as tf

__all__ = ["batch_normal", "batch_uniform", "rows_of_batch"]


class _Rows(NamedTuple):
    first: tf.Tensor
    stride: int
    total: tf.Tensor


_rows: contextvars.ContextVar[_Rows | None] = contextvars.ContextVar("rows", default=None)


@contextlib.contextmanager
def rows_of_batch(first: tf.Tensor, stride: int, total: tf.Tensor) -> Iterator[None]:
    """Within it, a batch is the rows `first, first + stride, ...` of one of `total` rows.

    The functions of this module draw the numbers of the whole batch and give those of its rows.
    """
    token = _rows.set(_Rows(first, stride, total))
    try:
        yield
    finally:
        _rows.reset(token)


def batch_normal(shape: tf.Tensor, seed: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """N(0, 1) of shape `[..., B, T, n]`, from a seed int32 `[2]`."""
    return _draw(tf.random.stateless_normal, shape, seed, dtype)


def batch_uniform(shape: tf.Tensor, seed: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Uniform on [0, 1) of shape `[..., B, T, n]`, from a seed int32 `[2]`."""
    return _draw(tf.random.stateless_uniform, shape, seed, dtype)


def _draw(
    draw: Callable[..., tf.Tensor], shape: tf.Tensor, seed: tf.Tensor, dtype: tf.DType
) -> tf.Tensor:
    rows = _rows.get()
    # A seed gives the same numbers in both precisions, so that likelihoods can be compared.
    drawn = tf.float32 if dtype == tf.float64 else dtype
    if rows is None:
        return tf.cast(draw(shape, seed, dtype=drawn), dtype)
    whole = draw(tf.concat([shape[:-3], [rows.total], shape[-2:]], axis=0), seed, dtype=drawn)
    whole = tf.cast(whole, dtype)
    # Rows beyond the batch fill up a device's share, and any number does for them.
    index = tf.minimum(rows.first + rows.stride * tf.range(shape[-3]), rows.total - 1)
    return tf.gather(whole, index, axis=-3)
