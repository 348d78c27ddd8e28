"""The package's own scalar maps at the ends of the line, and with parameters that change."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors import (
    SCALAR_MAPS,
    Affine,
    MixtureOfLogistics,
    NLSq,
)
from bijectors.base import forward_and_log_det, inverse_and_log_det
from tests.bijectors.scalar.maps import every_own_map


def draw(name: str, dtype: type = np.float32) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(0, 1, [4, SCALAR_MAPS[name].num_params]).astype(dtype)


@every_own_map
@pytest.mark.parametrize(
    ("dtype", "jit"),
    [
        (np.float32, True),
        (np.float64, False),
        pytest.param(np.float32, False, marks=pytest.mark.nightly),
        pytest.param(np.float64, True, marks=pytest.mark.nightly),
    ],
)
def test_infinity_goes_to_infinity(name: str, dtype: type, jit: bool) -> None:
    ends = tf.constant([[-np.inf], [np.inf]], dtype)
    raw = tf.constant(draw(name, dtype))

    @tf.function(jit_compile=jit, autograph=False)
    def evaluate(ends: tf.Tensor) -> list[tf.Tensor]:
        flow = SCALAR_MAPS[name].from_unconstrained(raw)
        return [*forward_and_log_det(flow, ends, 0), *inverse_and_log_det(flow, ends, 0)]

    forward, log_det, inverse, inverse_log_det = evaluate(ends)
    for value in (forward, inverse):
        np.testing.assert_array_equal(value, np.broadcast_to(ends, (2, 4)))
    assert np.isfinite(log_det).all() and np.isfinite(inverse_log_det).all()
    np.testing.assert_allclose(log_det, -inverse_log_det, rtol=1e-6)


@every_own_map
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_out_a_map_is_a_line_that_is_taken_back(name: str, dtype: type) -> None:
    largest = 1e37 if dtype == np.float32 else 1e150
    far = np.array([[-largest], [-1e19], [1e15], [1e30], [largest]], dtype)
    flow = SCALAR_MAPS[name].from_unconstrained(tf.constant(draw(name, dtype) / 2))
    z, log_det = forward_and_log_det(flow, tf.constant(far), 0)
    x, inverse_log_det = inverse_and_log_det(flow, z, 0)
    np.testing.assert_allclose(x, np.broadcast_to(far, x.shape), rtol=1e-5)
    np.testing.assert_allclose(z / far, np.exp(log_det), rtol=1e-5)
    np.testing.assert_allclose(inverse_log_det, -log_det, rtol=1e-4, atol=1e-6)


@every_own_map
def test_tails_of_a_distribution_are_those_of_a_normal(name: str) -> None:
    flow = SCALAR_MAPS[name].from_unconstrained(tf.constant(draw(name)))
    latent = tfp.distributions.TransformedDistribution(tfp.distributions.Normal(0.0, 1.0), flow)
    ends = [[-np.inf], [np.inf]]
    np.testing.assert_array_equal(latent.log_prob(ends), np.full([2, 4], -np.inf))
    np.testing.assert_array_equal(latent.quantile([[0.0], [1.0]]), np.broadcast_to(ends, [2, 4]))
    np.testing.assert_array_equal(latent.cdf(ends), np.broadcast_to([[0.0], [1.0]], [2, 4]))


def test_an_infinity_in_a_batch_leaves_gradients_alone() -> None:
    raw = tf.constant(draw("nlsq")[:1])
    y = tf.constant([0.3, np.inf, -np.inf])

    def gradient(y: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(raw)
            x, log_det = NLSq.from_unconstrained(raw).inverse_and_log_det(y)
            kept = tf.where(tf.math.is_finite(x), x, 0.0)
            loss = tf.reduce_sum(kept) + tf.reduce_sum(log_det[:1])
        return tape.gradient(loss, raw)

    np.testing.assert_allclose(gradient(y), gradient(y[:1]), rtol=1e-6)


def test_past_the_largest_number_the_log_det_is_that_of_the_line() -> None:
    bijector = NLSq(a=0.0, b=2.0, c=1e-3, d=1e3, g=0.0)
    _, log_det = bijector.forward_and_log_det(tf.constant([1e20, -1e37]))  # d * x overflows.
    np.testing.assert_allclose(log_det, np.log([2.0, 2.0]), rtol=1e-6)


VARIABLES = {
    "tf.Variable": lambda: tf.Variable(1.5),
    "keras.Variable": lambda: keras.Variable(1.5, dtype="float32"),
    "TransformedVariable": lambda: tfp.util.TransformedVariable(1.5, tfp.bijectors.Exp()),
    "DeferredTensor": lambda: tfp.util.DeferredTensor(tf.Variable(0.75), lambda v: 2.0 * v),
}
MAPS = {
    "affine": lambda b: Affine(0.0, b, validate_args=True),
    "nlsq": lambda b: NLSq(0.0, b, 0.0, 1.0, 0.0, validate_args=True),
    "mixture": lambda b: MixtureOfLogistics([1.0], [0.0], [1.0], 0.0, b, validate_args=True),
}


@pytest.mark.parametrize("kind", VARIABLES)
@pytest.mark.parametrize("name", MAPS)
def test_a_variable_of_any_kind_is_tracked_and_followed(name: str, kind: str) -> None:
    bijector = MAPS[name](VARIABLES[kind]())
    (variable,) = bijector.trainable_variables
    with tf.GradientTape() as tape:
        y, log_det = bijector.forward_and_log_det(2.0)
    assert float(y) == pytest.approx(3.0)
    assert float(tape.gradient(log_det, variable)) != 0
    variable.assign(variable + 1.0)
    new, new_log_det = bijector.forward_and_log_det(2.0)
    assert float(new) == pytest.approx(2 * np.exp(float(new_log_det)))
    assert float(new) > float(y) + 1
    assert float(bijector.inverse(new)) == pytest.approx(2.0)


@pytest.mark.parametrize("name", MAPS)
def test_the_present_value_of_a_variable_is_checked(name: str) -> None:
    with pytest.raises(ValueError, match="expected b > 0; got -1.5"):
        MAPS[name](tf.Variable(-1.5))


@every_own_map
def test_unconstrained_variables_are_tracked_and_followed(name: str) -> None:
    values, changed = draw(name), draw(name)[::-1]
    raw = tf.Variable(values)
    bijector = SCALAR_MAPS[name].from_unconstrained(raw)
    (tracked,) = bijector.trainable_variables
    assert tracked is raw
    for present in (values, changed):
        raw.assign(present)
        fixed = SCALAR_MAPS[name].from_unconstrained(present)
        with tf.GradientTape() as tape:
            y, log_det = forward_and_log_det(bijector, tf.constant(0.7), 0)
            loss = tf.reduce_sum(y + log_det)
        answers = forward_and_log_det(fixed, tf.constant(0.7), 0)
        for got, expected in zip((y, log_det), answers, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-6)
        assert np.abs(tape.gradient(loss, raw)).max() > 0
    assert bijector.experimental_batch_shape() == (4,)
