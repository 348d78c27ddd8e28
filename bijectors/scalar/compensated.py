"""The residual of the NLSq equation in twice the working precision.

Error-free transformations (Dekker's two-sum and two-product) keep the rounding error of every sum
and product. They are written to survive two optimisations of compilers:

- `p + x` with `p = y * z` may become a fused multiply-add. This changes nothing, because every
  product in such a sum is exact in float64.
- XLA rewrites `(x + k) - k` as `x` for a constant `k`. Both summands are first swapped by size, and
  are therefore not constants.
"""

from __future__ import annotations

import tensorflow as tf

__all__ = ["compensated_residual"]

_HIGH_BITS = ~((1 << 27) - 1)


def _two_sum(a: tf.Tensor, b: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns `(s, e)` with `s = fl(a + b)` and exactly `s + e = a + b`."""
    swap = tf.abs(a) < tf.abs(b)
    large, small = tf.where(swap, b, a), tf.where(swap, a, b)
    s = large + small
    return s, small - (s - large)


def _split(a: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Splits `a = high + low` into 26 and 27 significant bits; products of the parts are exact."""
    high = tf.bitcast(tf.bitwise.bitwise_and(tf.bitcast(a, tf.int64), _HIGH_BITS), tf.float64)
    return high, a - high


def _two_product(a: tf.Tensor, b: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns `(p, e)` with the rounded product `p`, and `p + e = a * b` to about 100 bits."""
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    p, e0 = _two_sum(a_high * b_high, a_high * b_low)
    p, e1 = _two_sum(p, a_low * b_high)
    return p, (e0 + e1) + a_low * b_low


def compensated_residual(
    x: tf.Tensor,
    y: tf.Tensor,
    a: tf.Tensor,
    b: tf.Tensor,
    c: tf.Tensor,
    d: tf.Tensor,
    g: tf.Tensor,
) -> tf.Tensor:
    """`a + b*x + c / (1 + (d*x + g)**2) - y` as if computed with about 100 bits; all float64."""
    # u = d*x + g and its square.
    dx, dx_low = _two_product(d, x)
    u, u_low = _two_sum(dx, g)
    u_low += dx_low
    square, square_low = _two_product(u, u)
    square_low += 2.0 * u * u_low
    # line = a + b*x - y.
    bx, bx_low = _two_product(b, x)
    line, low0 = _two_sum(a, -y)
    line, low1 = _two_sum(line, bx)
    line, line_low = _two_sum(line, low0 + low1 + bx_low)
    # (1 + u**2) * residual = line + line * u**2 + c needs no division in extended precision.
    product, product_low = _two_product(line, square)
    product_low += line * square_low + line_low * square
    total, low0 = _two_sum(product, c)
    total, low1 = _two_sum(total, line)
    return (total + (low0 + low1 + (product_low + line_low))) / (1.0 + square)
