"""Roots of increasing functions between two bounds, for maps without an inverse in closed form."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

__all__ = ["find_root"]

IncreasingFunction = Callable[..., tuple[tf.Tensor, tf.Tensor]]

# Twice the bisections that halve any bounds down to the precision of float64, or nearly.
_MAX_STEPS = 100

# The logarithm of what counts as the smallest slope: on a plateau 1 / slope would be infinite.
_MIN_LOG_SLOPE = -20.0


def find_root(
    function: IncreasingFunction,
    parameters: Sequence[tf.Tensor],
    target: tf.Tensor,
    low: tf.Tensor,
    high: tf.Tensor,
) -> tf.Tensor:
    """The `x` in `[low, high]` with `function(x, *parameters) = target`, elementwise.

    Newton's method; a step that leaves the bounds, or is not half as long as the one before, is a
    bisection instead, and every value tightens the bounds. It ends for each element when the value
    is as near to the target as its dtype can tell, and an element that has arrived stays as it is:
    no root depends on its neighbours.

    Derivatives in the target and the parameters are those of the implicit function theorem,
    `dx/dtarget = 1 / slope` and `dx/dp = -(df/dp) / slope`, where a slope below `exp(-20)` counts
    as that. The first and the second are exact, and no loop is differentiated. The bounds have
    none.

    Args:
      function: `function(x, *parameters)` gives a value that increases with `x` and the logarithm
        of its slope, both of the shape of `x`, from operations that have derivatives.
      parameters: All tensors that the function depends on and whose gradients matter.
      target: A shape that broadcasts to that of the bounds.
      low: Lower bounds, of the shape of the roots.
      high: Upper bounds, likewise.
    """
    low, high = tf.stop_gradient(low), tf.stop_gradient(high)
    parameters = [tf.convert_to_tensor(parameter) for parameter in parameters]

    @tf.custom_gradient
    def root(
        target: tf.Tensor, *parameters: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[[tf.Tensor], list[tf.Tensor]]]:
        x = tf.stop_gradient(_search(lambda x: function(x, *parameters), target, low, high))

        def gradients(upstream: tf.Tensor) -> list[tf.Tensor]:
            # A Newton step of length 0: `x` as a function of target and parameters, so that these
            # derivatives have derivatives.
            value, log_slope = function(x, *parameters)
            residual = value - target
            moving = x - (residual - tf.stop_gradient(residual)) * _inverse_slope(log_slope)
            # In the gradient of a loop a tape follows the tensors of this graph alone.
            here = [tf.identity(parameter) for parameter in parameters]
            with tf.GradientTape() as tape:
                tape.watch(here)
                value, log_slope = function(moving, *here)
            by_target = upstream * _inverse_slope(log_slope)
            by_parameter = tape.gradient(
                value, here, -by_target, unconnected_gradients=tf.UnconnectedGradients.ZERO
            )
            return [by_target, *by_parameter]

        return x, gradients

    target = tf.ensure_shape(tf.broadcast_to(target, tf.shape(low)), low.shape)
    return root(target, *parameters)


def _inverse_slope(log_slope: tf.Tensor) -> tf.Tensor:
    return tf.exp(-tf.maximum(log_slope, _MIN_LOG_SLOPE))


# `tfp.math.find_root_chandrupatla` needs a third more values, without slopes. Its tolerance is one
# for all sizes of roots: by default no float32 root ends early. A root at a bound it may lose.
def _search(
    function: IncreasingFunction, target: tf.Tensor, low: tf.Tensor, high: tf.Tensor
) -> tf.Tensor:
    epsilon = np.finfo(target.dtype.as_numpy_dtype).eps
    tolerance = 4 * epsilon * (1 + tf.abs(target))

    def step(
        x: tf.Tensor, low: tf.Tensor, high: tf.Tensor, last: tf.Tensor, arrived: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        value, log_slope = (tf.ensure_shape(answer, x.shape) for answer in function(x))
        residual = value - target
        low, high = tf.where(residual < 0, x, low), tf.where(residual > 0, x, high)
        newton = x - residual * _inverse_slope(log_slope)
        # A NaN is trusted, and has arrived.
        trusted = ~((newton < low) | (newton > high) | (tf.abs(newton - x) > last / 2))
        close = ~(tf.abs(residual) > tolerance)
        middle = tf.where(close, x, low / 2 + high / 2)
        new = tf.where(trusted, newton, middle)
        length = tf.abs(new - x)
        last = tf.where(trusted, length, high - low)
        new = tf.where(arrived, x, new)
        return new, low, high, last, arrived | close | (length <= 2 * epsilon * tf.abs(new))

    x, *_ = tf.while_loop(
        lambda x, low, high, last, arrived: ~tf.reduce_all(arrived),
        step,
        (low / 2 + high / 2, low, high, high - low, tf.zeros_like(low, tf.bool)),
        maximum_iterations=_MAX_STEPS,
    )
    return x
