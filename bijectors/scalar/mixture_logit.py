"""The logit of the distribution function of a mixture of logistics, with its derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from bijectors.masks import select

__all__ = ["aligned", "mixture_logit", "with_dims"]


def aligned(components: Sequence[tf.Tensor], x: tf.Tensor) -> list[tf.Tensor]:
    """Makes parameters `[K, ...]` of the components broadcast with `x` and with each other.

    The components come first because sums over the first axis are several times as fast as those
    over the last.
    """
    ranks = [x.shape.rank, *(values.shape.rank and values.shape.rank - 1 for values in components)]
    if None not in ranks and min(ranks[1:]) == max(ranks):
        return list(components)
    num_dims = tf.reduce_max([tf.rank(x), *(tf.rank(values) - 1 for values in components)])
    return [with_dims(values, num_dims) for values in components]


def with_dims(values: tf.Tensor, num_dims: tf.Tensor) -> tf.Tensor:
    """`[K, ...]` with dimensions of size 1 after the first, up to `1 + num_dims` in all."""
    missing = tf.ones([num_dims - tf.rank(values) + 1], tf.int32)
    shape = tf.shape(values)
    return tf.reshape(values, tf.concat([shape[:1], missing, shape[1:]], axis=0))


def mixture_logit(
    x: tf.Tensor, weights: tf.Tensor, means: tf.Tensor, inverse_scales: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """`logit F(x)` and the logarithm of its slope; the components are `[K, ...]`."""
    return _logit_of((x - means) * inverse_scales, weights, inverse_scales)


@tf.custom_gradient
def _logit_of(
    u: tf.Tensor, weights: tf.Tensor, inverse_scales: tf.Tensor
) -> tuple[tuple[tf.Tensor, tf.Tensor], Callable[..., tuple[tf.Tensor, ...]]]:
    """`mixture_logit` as a function of `u = (x - m) / s`, in closed form in both directions.

    With `r = 1 / (1 + exp(-|u|))`, one of `sigmoid(u)` and `sigmoid(-u)` is `r` and the other
    `r * exp(-|u|)`, so one exponential per component is enough. A factor common to the terms of a
    sum is divided out first and added back to the logarithm.

    The gradients need no other exponentials. With the terms `w * q / s` of f, `q = sigmoid'(u)`:

        d log F / du = w q / F;  d log(1 - F) / du = -w q / (1 - F)
        d log f / du = w q (1 - 2 sigmoid(u)) / (s f)
    """
    above = u >= 0.0
    size = select(above, u, -u)  # Not `tf.abs`, whose slope at 0 is 0: see second derivatives.
    # The result does not depend on the factors divided out, so they need no gradient.
    fixed = tf.stop_gradient(u)
    of_f = tf.reduce_min(tf.stop_gradient(size), axis=0)
    of_left = tf.nn.relu(-tf.reduce_max(fixed, axis=0))
    of_right = tf.nn.relu(tf.reduce_min(fixed, axis=0))
    left_of_f, right_of_f = tf.exp(of_left - of_f), tf.exp(of_right - of_f)
    t = tf.exp(of_f - size)
    r = 1.0 / (1.0 + tf.exp(-of_f) * t)
    far = r * t
    # The terms of F, 1 - F and f, each without its weight.
    left = select(above, r, left_of_f * far)
    right = select(above, right_of_f * far, r)
    q = far * r
    slopes = q * inverse_scales
    # Their sums, multiplied by the sum of the weights.
    total = tf.reduce_sum(weights, axis=0)
    sum_left, sum_right = (tf.reduce_sum(weights * side, axis=0) for side in (left, right))
    f = tf.reduce_sum(weights * slopes, axis=0)
    logit = tf.math.log(sum_left / sum_right) + (of_right - of_left)
    log_slope = tf.math.log(total * f / (sum_left * sum_right)) + (of_right + of_left - of_f)

    def gradients(by_logit: tf.Tensor, by_slope: tf.Tensor) -> tuple[tf.Tensor, ...]:
        by_left, by_right = by_logit - by_slope, by_logit + by_slope  # Of log F and -log(1 - F).
        by_left, by_right, by_f = by_left / sum_left, by_right / sum_right, by_slope / f
        asymmetry = 1.0 - 2.0 * select(above, r, 1.0 - r)  # 1 - 2 sigmoid(u)
        sides = by_left * left_of_f + by_right * right_of_f
        by_q = weights * q
        by_u = by_q * (sides + by_f * inverse_scales * asymmetry)
        by_weights = by_left * left - by_right * right + by_f * slopes
        by_weights += by_slope / total
        found = zip((by_u, by_weights, by_q * by_f), (u, weights, inverse_scales), strict=True)
        return tuple(_summed_like(*pair) for pair in found)

    return (logit, log_slope), gradients


def _summed_like(gradient: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """The gradient of `values`, from that of `values` broadcast."""
    axes, _ = tf.raw_ops.BroadcastGradientArgs(s0=tf.shape(values), s1=tf.shape(gradient))
    return tf.ensure_shape(
        tf.reshape(tf.reduce_sum(gradient, axes), tf.shape(values)), values.shape
    )
