"""The mixture of logistics: its formula in both precisions, at its ends and in its gaps."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bijectors import MixtureOfLogistics
from tests.bijectors.scalar.mixtures import constants, draw, formula, noise


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [1, 2, 8])
@pytest.mark.parametrize("spread", [0.3, 3.0, 1e3])
@pytest.mark.parametrize("size", [3.0, 1e3, 1e6])
def test_it_is_the_formula_as_exactly_as_its_dtype(
    dtype: type, k: int, spread: float, size: float
) -> None:
    bijector = MixtureOfLogistics.from_unconstrained(draw(500, k, dtype, spread), k)
    x = noise(500, dtype, size)
    y, log_det = bijector.forward_and_log_det(x)
    assert y.dtype == log_det.dtype == dtype
    expected, expected_log_det = formula(x, *constants(bijector))
    a, b = constants(bijector)[-2:]
    error = 8 * np.finfo(dtype).eps
    assert (np.abs(y - expected) <= error * (b * (1 + np.abs(a)) + np.abs(expected))).all()
    # The reference subtracts logarithms as large as x.
    lost = 1e-18 * np.abs(x) * 20
    assert (
        np.abs(log_det - expected_log_det) <= error * (10 + np.abs(expected_log_det)) + lost
    ).all()


@pytest.mark.parametrize("size", [1e-35, 1e-20, 1e20, 1e35])
def test_weights_of_any_size_count_by_their_ratios(size: float) -> None:
    means, scales = [-1.0, 1.0], [1.0, 0.5]
    expected = MixtureOfLogistics([0.5, 1.0], means, scales).forward_and_log_det([0.5, 3.0])
    weights = tf.constant([0.5 * size, size])
    with tf.GradientTape() as tape:
        tape.watch(weights)
        found = MixtureOfLogistics(weights, means, scales).forward_and_log_det([0.5, 3.0])
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    gradient = size * np.float64(tape.gradient(found[0], weights))
    assert np.isfinite(gradient).all() and abs(gradient @ [0.5, 1.0]) < 1e-4 < abs(gradient[0])


def test_far_out_it_is_a_line() -> None:
    bijector = MixtureOfLogistics(
        weights=[1.0, 3.0], means=[-2.0, 1.0], scales=[0.5, 4.0], a=0.2, b=2.0
    )
    x = tf.constant([-np.inf, -1e15, -1e6, 1e6, 1e15, np.inf])
    y, log_det = bijector.forward_and_log_det(x)
    np.testing.assert_allclose(y, x * 2.0 / 4.0, rtol=1e-5)
    np.testing.assert_allclose(log_det, np.full(6, np.log(2.0 / 4.0)), rtol=1e-6)
    np.testing.assert_allclose(bijector.inverse(y), x, rtol=1e-5)


def test_between_two_modes_far_apart() -> None:
    # The density is exp(-1000) there: neither it nor F f32 could be a number of this size.
    bijector = MixtureOfLogistics(weights=[1.0, 3.0], means=[-100.0, 100.0], scales=[0.1, 0.1])
    x = tf.constant([-100.0, -3.0, 0.0, 3.0, 100.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y, log_det = bijector.forward_and_log_det(x)
    expected, expected_log_det = formula(x.numpy(), *constants(bijector))
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    np.testing.assert_allclose(log_det, expected_log_det, rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(log_det, x)[1:4:2], [-10.0, 10.0], rtol=1e-5)
    in_the_gap = bijector.inverse(tf.math.log(1 / 3))
    assert -99.5 < float(in_the_gap) < 99.5
    assert np.isfinite(bijector.inverse_log_det_jacobian(tf.math.log(1 / 3)))


def test_a_slope_at_the_middle_of_a_component() -> None:
    # |u| has no derivative where u = 0; the formula has.
    bijector = MixtureOfLogistics(weights=[1.0, 1.0], means=[0.0, 0.0], scales=[1.0, 2.0])
    x = tf.constant(0.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y, log_det = bijector.forward_and_log_det(x)
    assert float(tape.gradient(y, x)) == pytest.approx(0.75)
    assert float(log_det) == pytest.approx(np.log(0.75))


def test_from_unconstrained_is_the_formula() -> None:
    k = 3
    raw, x = draw(100, k), noise(100)
    w, m, s, (a, b) = raw[:, :k], raw[:, k : 2 * k], raw[:, 2 * k : 3 * k], raw[:, 3 * k :].T
    weights = np.exp(w) / np.exp(w).sum(-1, keepdims=True)
    values = (weights, m + [-2, 0, 2], np.exp(3 * np.tanh(s / 3)), a, np.exp(b))
    expected = formula(x, *values)
    for bijector in (
        MixtureOfLogistics.from_unconstrained(raw, k),
        MixtureOfLogistics(*values, validate_args=True),
    ):
        for got, wanted in zip(bijector.forward_and_log_det(x), expected, strict=True):
            np.testing.assert_allclose(got, wanted.astype(float), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("k", [2, 8, 20])
def test_raw_zero_is_near_a_line(k: int) -> None:
    bijector = MixtureOfLogistics.from_unconstrained(tf.zeros([3 * k + 2], tf.float64), k)
    x = np.linspace(-4, 4, 81)
    y, log_det = bijector.forward_and_log_det(x)
    np.testing.assert_allclose(y, -y[::-1], atol=1e-12)
    slope = np.exp(log_det)
    assert slope.min() > 0.4 and slope.max() < 1.0
