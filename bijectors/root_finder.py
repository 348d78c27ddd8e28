"""Roots of increasing functions between two bounds, for maps without a closed-form inverse."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

__all__ = ["find_root"]

IncreasingFunction = Callable[..., tuple[tf.Tensor, tf.Tensor]]

# About twice as many bisections as it takes to narrow any bounds to the precision of float64.
_MAX_STEPS = 100

# Logarithm of the smallest slope that is used: on a plateau, 1 / slope would be infinite.
_MIN_LOG_SLOPE = -20.0


def find_root(
    function: IncreasingFunction,
    parameters: Sequence[tf.Tensor],
    target: tf.Tensor,
    low: tf.Tensor,
    high: tf.Tensor,
) -> tf.Tensor:
    """Finds the `x` in `[low, high]` with `function(x, *parameters) = target`, elementwise.

    Uses Newton's method and tightens the bounds with every value. A Newton step that leaves the
    bounds, or is longer than half the previous step, is replaced by a bisection. An element is
    finished when its value is as close to the target as the dtype can tell. It then stays
    unchanged, so no root depends on the other elements.

    Derivatives with respect to the target and the parameters follow from the implicit function
    theorem, `dx/dtarget = 1 / slope` and `dx/dp = -(df/dp) / slope`; a slope below `exp(-20)` is
    replaced by that value. First and second derivatives are exact, and the loop itself is not
    differentiated. The bounds get no gradient.

    Args:
      function: `function(x, *parameters)` returns a value that increases with `x`, and the
        logarithm of its slope. Both have the shape of `x`, and their operations must be
        differentiable.
      parameters: All tensors that the function depends on and that need gradients.
      target: The values to reach, of a shape that broadcasts to that of the bounds.
      low: Lower bounds, of the shape of the roots.
      high: Upper bounds, of the same shape.

    Example:
      >>> import tensorflow as tf
      >>> from bijectors import find_root
      >>> def cubic(x, a):  # x^3 + a x, and the logarithm of its slope.
      ...     return x**3 + a * x, tf.math.log(3.0 * x**2 + a)
      >>> a, target = tf.constant([1.0, 1.0]), tf.constant([2.0, 10.0])
      >>> find_root(cubic, [a], target, low=tf.zeros(2), high=tf.fill([2], 10.0)).numpy().tolist()
      [1.0, 2.0]
    """
    low, high = tf.stop_gradient(low), tf.stop_gradient(high)
    parameters = [tf.convert_to_tensor(parameter) for parameter in parameters]

    @tf.custom_gradient
    def root(
        target: tf.Tensor, *parameters: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[[tf.Tensor], list[tf.Tensor]]]:
        x = tf.stop_gradient(_search(lambda x: function(x, *parameters), target, low, high))

        def gradients(upstream: tf.Tensor) -> list[tf.Tensor]:
            # A Newton step of length 0 makes `x` a function of target and parameters, so that
            # these derivatives can be differentiated again.
            value, log_slope = function(x, *parameters)
            residual = value - target
            moving = x - (residual - tf.stop_gradient(residual)) * _inverse_slope(log_slope)
            # Inside the gradient of a loop, a tape only tracks tensors of the current graph.
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


# Not `tfp.math.find_root_chandrupatla`: it needs a third more evaluations, though without slopes.
# Its tolerance does not scale with the root, and by default no float32 root stops early. It may
# also miss a root at a bound.
def _search(
    function: IncreasingFunction, target: tf.Tensor, low: tf.Tensor, high: tf.Tensor
) -> tf.Tensor:
    epsilon = np.finfo(target.dtype.as_numpy_dtype).eps
    tolerance = 4 * epsilon * (1 + tf.abs(target))
    longest_last_step = 4 * epsilon**0.5

    def step(
        x: tf.Tensor, low: tf.Tensor, high: tf.Tensor, last: tf.Tensor, arrived: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        value, log_slope = (tf.ensure_shape(answer, x.shape) for answer in function(x))
        residual = value - target
        low, high = tf.where(residual < 0, x, low), tf.where(residual > 0, x, high)
        newton = x - residual * _inverse_slope(log_slope)
        # A NaN counts as trusted and as finished.
        trusted = ~((newton < low) | (newton > high) | (tf.abs(newton - x) > last / 2))
        close = ~(tf.abs(residual) > tolerance)
        # On a plateau the residual is only rounding error, and a step this long would leave it.
        trusted &= ~(close & (tf.abs(newton - x) > longest_last_step))
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
