"""Matrix products: in one place, so that their precision is chosen in one place."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator

import tensorflow as tf

__all__ = ["product", "product_operand", "products_are_in", "products_in"]

_dtype: contextvars.ContextVar[tf.DType | None] = contextvars.ContextVar("products", default=None)


@contextlib.contextmanager
def products_in(dtype: tf.DType | None) -> Iterator[None]:
    """Within it, functions are traced with products whose operands are rounded to `dtype`.

    Sums are kept, and results are given, in the dtype of what is multiplied: bfloat16 products of a
    float32 model cost half of it or less where the processor has them. None: no rounding.
    """
    token = _dtype.set(dtype)
    try:
        yield
    finally:
        _dtype.reset(token)


def products_are_in() -> tf.DType | None:
    """The dtype of the `products_in` around this: what a function that is traced has to know."""
    return _dtype.get()


def product_operand(values: tf.Tensor) -> tf.Tensor:
    """`values` as products take them: what is multiplied at every step of a loop is cast once."""
    values = tf.convert_to_tensor(values)
    dtype = _dtype.get()
    return values if dtype is None else tf.cast(values, dtype)


def product(values: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
    """`values [..., n]` times `matrix [n, m]`: `[..., m]`, of the dtype of `values`.

    Where the batch is unknown, `tf.tensordot` reshapes by a dozen small operations: at one step of
    a loop that runs without a compiler they cost more than the product.
    """
    values = tf.convert_to_tensor(values)
    left, right = product_operand(values), product_operand(matrix)
    rank = values.shape.rank
    result = tf.matmul(left, right) if rank == 2 else tf.tensordot(left, right, 1)
    return tf.cast(result, values.dtype)
