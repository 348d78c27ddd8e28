"""The base distribution of every flow: N(0, 1) in each dimension."""

from __future__ import annotations

import math

import tensorflow as tf

__all__ = ["standard_normal_log_prob"]


def standard_normal_log_prob(values: tf.Tensor) -> tf.Tensor:
    """`log N(x; 0, 1) = -(x^2 + log(2 pi)) / 2` of each element, nats, shaped as `values`."""
    return -0.5 * (tf.square(values) + math.log(2 * math.pi))
