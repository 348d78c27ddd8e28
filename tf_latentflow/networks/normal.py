"""N(0, 1) in each dimension: the base distribution of every flow."""

from __future__ import annotations

import math

import tensorflow as tf

from bijectors.masks import mask_steps

__all__ = ["noise_log_probs", "standard_normal_log_prob"]


def standard_normal_log_prob(values: tf.Tensor) -> tf.Tensor:
    """`log N(x; 0, 1) = -(x^2 + log(2 pi)) / 2` of each element, nats, shaped as `values`."""
    return -0.5 * (tf.square(values) + math.log(2 * math.pi))


def noise_log_probs(eps: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """Log-density of the noise of each step, from `[..., B, T, H]` to nats `[..., B, T]`.

    It is 0 beyond each length.
    """
    # Zeros before too: what is beyond a length may not be finite.
    log_probs = standard_normal_log_prob(mask_steps(eps, lengths))
    return mask_steps(tf.reduce_sum(log_probs, axis=-1), lengths, event_ndims=0)
