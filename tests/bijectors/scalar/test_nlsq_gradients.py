"""NLSq: log-dets and derivatives, of the inverse as well."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bijectors.scalar.nlsq import NLSq
from tests.bijectors.scalar.nlsq_maps import constants, draw, slope
from tests.modes import MODES, every_mode, mostly_eager


@every_mode
def test_log_dets_equal_autodiff(mode: str) -> None:
    raw, y = draw(20_000, np.float64, seed=4)

    def evaluate(raw: tf.Tensor, y: tf.Tensor) -> list[tf.Tensor]:
        bijector = NLSq.from_unconstrained(raw)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(y)
            x, inverse_log_det = bijector.inverse_and_log_det(y)
            x_in = tf.stop_gradient(x)
            tape.watch(x_in)
            forward, forward_log_det = bijector.forward_and_log_det(x_in)
        return [
            tf.math.log(tape.gradient(x, y)),
            inverse_log_det,
            tf.math.log(tape.gradient(forward, x_in)),
            forward_log_det,
        ]

    inverse_autodiff, inverse, forward_autodiff, forward = MODES[mode](evaluate)(
        tf.constant(raw), tf.constant(y)
    )
    np.testing.assert_allclose(inverse, inverse_autodiff, atol=1e-10)
    np.testing.assert_allclose(forward, forward_autodiff, atol=1e-10)
    np.testing.assert_allclose(forward, -inverse, atol=1e-12)


def inverse_gradients(mode: str, output: int, values: list[np.ndarray]) -> list[np.ndarray]:
    """Of `inverse_and_log_det(y)[output]`, with respect to y, a, b, c, d, g."""

    def evaluate(*values: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(values)
            result = NLSq(*values[1:]).inverse_and_log_det(values[0])[output]
        return tape.gradient(result, values)

    return [g.numpy() for g in MODES[mode](evaluate)(*map(tf.constant, values))]


@mostly_eager
@pytest.mark.parametrize("output", [0, 1], ids=["x", "log_det"])
def test_inverse_gradients_equal_finite_differences(output: int, mode: str) -> None:
    raw, y = draw(5_000, np.float64, seed=5)
    bijector = NLSq.from_unconstrained(raw)
    values = [y, *constants(bijector)]
    _, _, b, _, d, g = values
    x = bijector.inverse(y).numpy()
    # Steps that change u = d*x + g by some 1e-5 of 1 + |d*x|, whatever the parameters are.
    h, stretch = 1e-5, 1 + np.abs(d * x)
    shift, stretch_b, stretch_d = h * b / d, h * b / stretch, h * d / stretch
    steps = [shift * stretch, shift * stretch, stretch_b, shift, stretch_d, np.full_like(x, h)]
    gradients = inverse_gradients(mode, output, values)
    # What rounding does to x, and to the log-det, which amplifies it where the slope is small.
    noise = np.spacing(np.abs(x))
    if output == 1:
        amplified = (1 + np.abs(g)) * b / slope(x, *values[1:])
        noise = np.finfo(np.float64).eps * (1 + np.abs(np.log(b)) + amplified)
    for i, (name, step) in enumerate(zip("yabcdg", steps, strict=True)):

        def at(k: int, i: int = i, step: np.ndarray = step) -> np.ndarray:
            shifted = [v + k * step if j == i else v for j, v in enumerate(values)]
            return NLSq(*shifted[1:]).inverse_and_log_det(shifted[0])[output].numpy()

        difference = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / 12
        change = gradients[i] * step
        assert (np.abs(difference - change) <= 1e-7 * np.abs(change) + 16 * noise).all(), name


def test_float32_gradients_equal_float64_gradients() -> None:
    raw, y = draw(20_000, np.float32, seed=6)
    values = [y, *constants(NLSq.from_unconstrained(raw))]
    single = inverse_gradients("eager", 0, values)
    double = inverse_gradients("eager", 0, [v.astype(np.float64) for v in values])
    for name, one, other in zip("yabcdg", single, double, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-30, err_msg=name)


def test_second_derivative_of_the_inverse() -> None:
    raw, y = draw(2000, np.float64, seed=7, scale=1.0)
    bijector = NLSq.from_unconstrained(raw)
    y = tf.constant(y)
    with tf.GradientTape() as outer:
        outer.watch(y)
        with tf.GradientTape() as inner:
            inner.watch(y)
            x = bijector.inverse(y)
        first = inner.gradient(x, y)
    second = outer.gradient(first, y)
    _, _, c, d, g = constants(bijector)
    u = d * x + g
    curvature = 2 * c * d**2 * (3 * u**2 - 1) / (1 + u**2) ** 3
    expected = -curvature / slope(x.numpy(), *constants(bijector)) ** 3
    np.testing.assert_allclose(second, expected, rtol=1e-8, atol=1e-12)
