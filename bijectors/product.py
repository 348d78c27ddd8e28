"""A matrix product that spends nothing on shapes."""

from __future__ import annotations

import tensorflow as tf

__all__ = ["product"]


def product(values: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
    """`values [..., n]` times `matrix [n, m]`: `[..., m]`.

    Where the batch is unknown, `tf.tensordot` reshapes by a dozen small operations: at one step of
    a loop that runs without a compiler they cost more than the product.
    """
    values = tf.convert_to_tensor(values)
    if values.shape.rank == 2:
        return tf.matmul(values, matrix)
    return tf.tensordot(values, matrix, 1)
