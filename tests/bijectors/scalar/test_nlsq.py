"""NLSq: the root in both precisions, at a million random parameters, and what is refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from bijectors.scalar.nlsq import NLSq
from tests.bijectors.scalar.nlsq_maps import constants, draw, slope
from tests.modes import MODES

DTYPES = [np.float32, np.float64]
# Each dtype and each mode by day, the other pairs at night.
every_dtype_and_mode = pytest.mark.parametrize(
    ("dtype", "mode"),
    [
        (np.float32, "jit"),
        (np.float64, "eager"),
        *(
            pytest.param(dtype, mode, marks=pytest.mark.nightly)
            for dtype, mode in [
                (np.float32, "eager"),
                (np.float32, "graph"),
                (np.float64, "graph"),
                (np.float64, "jit"),
            ]
        ),
    ],
)
BACKWARD_ERROR = {np.float32: 1e-5, np.float64: 1e-12}
MAX_KAPPA = 8.0 * np.sqrt(3.0) / 9.0


def relative_error(bijector: NLSq, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`|forward(x) - y|` in units of the magnitudes that enter it."""
    a, b, c, _, _ = constants(bijector)
    scale = np.abs(y) + np.abs(a) + np.abs(b * x) + np.abs(c) + np.finfo(y.dtype).tiny
    return np.abs(bijector.forward(x).numpy() - y) / scale


def worst_decrease(inverse: Callable[[np.ndarray], np.ndarray], y: np.ndarray, steps: int) -> float:
    """The largest step down of `inverse`, in ulp of x, over the next `steps` neighbours of y."""
    worst, x = 0.0, inverse(y)
    for _ in range(steps):
        y = np.nextafter(y, y.dtype.type(np.inf))
        x_next = inverse(y)
        ulp = np.spacing(np.minimum(np.abs(x), np.abs(x_next)))
        worst, x = max(worst, float(np.max((x - x_next) / ulp))), x_next
    return worst


@every_dtype_and_mode
def test_roots_of_random_maps(dtype: type, mode: str) -> None:
    eager_by_day = (dtype, mode) == (np.float64, "eager")
    raw, y = draw(200_000 if eager_by_day else 1_000_000, dtype)
    solve = MODES[mode](lambda raw, y: NLSq.from_unconstrained(raw).inverse(y))
    inverse = lambda y: solve(raw, y).numpy()  # noqa: E731
    x = inverse(y)
    assert x.dtype == dtype
    assert np.isfinite(x).all()
    bijector = NLSq.from_unconstrained(raw)
    assert relative_error(bijector, x, y).max() <= BACKWARD_ERROR[dtype]
    assert np.isfinite(bijector.inverse_log_det_jacobian(y)).all()
    assert worst_decrease(inverse, y, steps=2) <= 4.0
    # Larger steps, over which x must rise as well.
    for factor in (1e-6, 1e-3, 1.0):
        y_next = (y + factor * (1 + np.abs(y))).astype(dtype)
        x_next = inverse(y_next)
        assert (x_next >= x - 4 * np.spacing(np.abs(x))).all()


@every_dtype_and_mode
def test_monotone_where_terms_cancel(dtype: type, mode: str) -> None:
    # Near y = f(0) the root passes through 0: x is far smaller than the terms that make it up.
    raw, _ = draw(50_000, dtype, seed=1)
    a, _, c, _, g = (p.astype(np.longdouble) for p in constants(NLSq.from_unconstrained(raw)))
    y = (a + c / (1 + g * g)).astype(dtype)
    for _ in range(10):
        y = np.nextafter(y, dtype(-np.inf))
    # Parameters as constants of the graph: a compiler that folds them must not break the result.
    solve = MODES[mode](lambda y: NLSq.from_unconstrained(tf.constant(raw)).inverse(y))
    assert worst_decrease(lambda y: solve(y).numpy(), y, steps=20) <= 4.0


@pytest.mark.parametrize("dtype", DTYPES)
def test_root_equals_bisection(dtype: type) -> None:
    raw, y = draw(20_000, dtype, seed=2)
    bijector = NLSq.from_unconstrained(raw)
    x = bijector.inverse(y).numpy()
    a, b, c, d, g = (p.astype(np.longdouble) for p in constants(bijector))
    low = (y - a - np.maximum(c, 0)) / b
    high = (y - a - np.minimum(c, 0)) / b
    for _ in range(90):
        middle = (low + high) / 2
        below = a + b * middle + c / (1 + (d * middle + g) ** 2) < y
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    # Cancellation limits the reference as well: to its own epsilon times the terms' size.
    size = np.abs(y) + np.abs(a) + np.abs(b * x) + np.abs(c)
    reference_error = 8 * np.finfo(np.longdouble).eps * size / slope(low, a, b, c, d, g)
    assert (np.abs(x - low) <= np.spacing(np.abs(x)) + reference_error).all()


@pytest.mark.parametrize("alpha", [0.95, 0.999, 1 - 1e-6, 1 - 1e-12])
def test_every_shape_of_the_cubic(alpha: float) -> None:
    # With a = g = 0 and b = d = 1 all maps are those of one family, kappa and v = y.
    kappa = alpha * MAX_KAPPA * np.linspace(-1, 1, 401)[:, None]
    large = np.logspace(0.8, 14, 100)
    v = np.concatenate([-large, np.linspace(-6.3, 6.3, 1261), [-(3**0.5), 3**0.5], large])
    kappa, v = np.broadcast_arrays(kappa, v)
    bijector = NLSq(a=0.0, b=1.0, c=kappa, d=1.0, g=0.0, validate_args=True)
    x = bijector.inverse(v).numpy()
    scale = np.abs(v) + np.abs(x) + np.abs(kappa) + np.finfo(np.float64).tiny
    assert (np.abs(bijector.forward(x) - v) / scale).max() < 1e-15
    assert (np.diff(np.take_along_axis(x, np.argsort(v), axis=1), axis=1) >= 0).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_extreme_parameters(dtype: type) -> None:
    raw = np.array(list(itertools.product([-30.0, 0.0, 30.0], repeat=5)), dtype)[:, None]
    y = np.array([0.0, 1e-20, 1e-6, -1.0, 1.0, -1e6, 1e12], dtype)
    bijector = NLSq.from_unconstrained(raw)
    with tf.GradientTape() as tape:
        y_in = tf.broadcast_to(y, [raw.shape[0], y.size])
        tape.watch(y_in)
        x, log_det = bijector.inverse_and_log_det(y_in)
    assert np.isfinite(x).all()
    assert np.isfinite(log_det).all()
    assert np.isfinite(tape.gradient(x, y_in)).all()
    error = relative_error(bijector, x.numpy(), y)
    assert error.max() <= BACKWARD_ERROR[dtype]


def test_values_that_are_not_numbers_stay_where_they_are() -> None:
    raw, y = draw(8, np.float32)
    y[3] = np.nan
    x = NLSq.from_unconstrained(raw).inverse(y).numpy()
    assert list(np.isnan(x)) == [i == 3 for i in range(8)]


def test_from_unconstrained_is_the_formula() -> None:
    raw, x = draw(1000, np.float64, seed=3, scale=1.0)
    a, b, c, d, g = raw.T
    b, d = np.exp(b), np.exp(d)
    for alpha in (0.95, 0.5):
        bijector = NLSq.from_unconstrained(raw, alpha=alpha)
        c_alpha = 8 * np.sqrt(3) / 9 * b / d * alpha * np.tanh(c)
        np.testing.assert_allclose(
            bijector.forward(x), a + b * x + c_alpha / (1 + (d * x + g) ** 2), rtol=1e-12
        )
        direct = NLSq(a=a, b=b, c=c_alpha, d=d, g=g, validate_args=True)
        for one, other in zip(
            bijector.forward_and_log_det(x), direct.forward_and_log_det(x), strict=True
        ):
            np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12)
        assert (slope(x, *constants(bijector)) >= (1 - alpha) * b * (1 - 1e-9)).all()


def test_parameters_broadcast() -> None:
    b = NLSq(a=tf.zeros([3, 1]), b=1.0, c=0.5, d=tf.ones([2]), g=0.0)
    for method in (b.forward_and_log_det, b.inverse_and_log_det):
        value, log_det = method(0.3)
        assert value.shape == log_det.shape == (3, 2)
    assert b.experimental_batch_shape() == (3, 2)


def test_variables_are_tracked_and_followed() -> None:
    a = tf.Variable(0.0)
    bijector = NLSq(a=a, b=1.0, c=0.5, d=1.0, g=0.0)
    assert bijector.trainable_variables == (a,)
    x = tf.constant(0.3)
    before = bijector.forward(x)
    a.assign(2.0)
    np.testing.assert_allclose(bijector.forward(x) - before, 2.0, rtol=1e-6)


GOOD = {"a": 0.0, "b": 1.0, "c": 1.0, "d": 1.0, "g": 0.0}


@pytest.mark.parametrize(
    "change, message",
    [
        ({"b": -1.0}, r"expected b > 0; got -1.0"),
        ({"d": [1.0, 0.0]}, r"expected d > 0; got 0.0"),
        ({"c": 1.6}, r"expected a monotone map.*got 1.6"),
        ({"d": 2.0, "c": -0.8}, r"expected a monotone map.*got 1.6"),
        ({"c": np.float16(1.0)}, r"expected c of dtype float32 or float64; got float16"),
        ({"a": tf.zeros([], tf.bfloat16)}, r"expected a of dtype float32 or float64; got bfloat16"),
        ({"a": np.float32(0), "g": np.float64(0)}, r"one dtype; got a float32, g float64"),
    ],
)
def test_wrong_parameters_are_refused(change: dict, message: str) -> None:
    NLSq(**GOOD, validate_args=True)
    with pytest.raises(ValueError, match=message):
        NLSq(**{**GOOD, **change}, validate_args=True)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -1.0, float("nan")])
def test_wrong_alpha_is_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match="expected 0 < alpha < 1; got"):
        NLSq.from_unconstrained(tf.zeros([5]), alpha=alpha)
