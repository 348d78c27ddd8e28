"""The norm by which gradients are clipped."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

__all__ = ["global_norm"]


def global_norm(gradients: Sequence[tf.Tensor]) -> tf.Tensor:
    """Returns `sqrt(sum of squares)` over all gradients, a scalar; not finite only if one is not.

    `tf.linalg.global_norm` overflows for gradients beyond 1e19, which occur: the density of IAF
    over a thousand steps is a recursion that can be chaotic. Clipped, such a step does little harm.
    """
    norm = tf.linalg.global_norm(gradients)

    def rescaled() -> tf.Tensor:
        largest = tf.reduce_max([tf.reduce_max(tf.abs(gradient)) for gradient in gradients])
        return largest * tf.linalg.global_norm([gradient / largest for gradient in gradients])

    return tf.cond(tf.math.is_finite(norm), lambda: norm, rescaled)
