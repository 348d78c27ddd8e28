"""Derivatives of the mixture of logistics and of its inverse."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from bijectors import SCALAR_MAPS, AutoregressiveHidden, ConditionalMADE, MixtureOfLogistics
from tests.bijectors.scalar.mixtures import draw, noise
from tests.modes import MODES, mostly_eager


@mostly_eager
def test_inverse_gradients_equal_finite_differences(mode: str) -> None:
    raw, y = draw(300, 3, scale=0.7), noise(300)
    values = np.concatenate([raw, y[:, None]], axis=-1)

    def answers(values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        bijector = MixtureOfLogistics.from_unconstrained(values[..., :-1], 3)
        return bijector.inverse_and_log_det(values[..., -1])

    @MODES[mode]
    def gradients(values: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(values)
            x, log_det = answers(values)
        return [tape.gradient(answer, values) for answer in (x, log_det)]

    h, size = 1e-4, values.shape[-1]
    steps = h * np.array([-2, -1, 1, 2])[:, None, None, None] * np.eye(size)[:, None]
    for got, moved in zip(gradients(tf.constant(values)), answers(values + steps), strict=True):
        difference = (8 * (moved[2] - moved[1]) - (moved[3] - moved[0])) / (12 * h)
        np.testing.assert_allclose(got, tf.transpose(difference), rtol=1e-6, atol=1e-6)


def test_second_derivative_of_the_inverse() -> None:
    raw, y = draw(200, 3), tf.constant(noise(200))
    bijector = MixtureOfLogistics.from_unconstrained(raw, 3)
    with tf.GradientTape() as outer:
        outer.watch(y)
        with tf.GradientTape() as inner:
            inner.watch(y)
            x = bijector.inverse(y)
        first = inner.gradient(x, y)
    with tf.GradientTape() as tape:
        x = tf.constant(x)
        tape.watch(x)
        _, log_det = bijector.forward_and_log_det(x)
    # x' = 1 / f', x'' = -f'' / f'^3 = -(log f')' / f'^2
    expected = -tape.gradient(log_det, x) * np.exp(-2 * log_det)
    np.testing.assert_allclose(outer.gradient(first, y), expected, rtol=1e-8, atol=1e-10)


def test_second_derivatives_also_where_a_component_has_its_mean() -> None:
    means = np.array([-1.5, 0.0, 2.0])
    mixture = MixtureOfLogistics(
        [0.2, 0.5, 0.3], means, np.array([0.5, 1.0, 2.0]), validate_args=True
    )

    def slope(x: tf.Tensor) -> tf.Tensor:
        """Of the sum of both results."""
        with tf.GradientTape() as tape:
            tape.watch(x)
            found = sum(mixture.forward_and_log_det(x))
        return tape.gradient(found, x)

    x, h = tf.constant([*means, -4.0, 0.7, 30.0], tf.float64), 1e-5
    with tf.GradientTape() as tape:
        tape.watch(x)
        first = slope(x)
    expected = (slope(x + h) - slope(x - h)) / (2 * h)
    np.testing.assert_allclose(tape.gradient(first, x), expected, rtol=1e-6, atol=1e-8)


def test_log_det_of_a_vector_is_that_of_its_jacobian(float64: None) -> None:
    mixture = SCALAR_MAPS["mixture:3"]
    made = ConditionalMADE(4, mixture.num_params, 2, (8, 8), output_scale=mixture.output_scale)
    for variable in made.trainable_variables:
        variable.assign(np.random.default_rng(0).normal(0, 0.5, variable.shape))
    context = tf.constant(np.random.default_rng(1).normal(size=(5, 2)))
    flow = AutoregressiveHidden(made, mixture.from_unconstrained, context)
    values = tf.constant(noise(20).reshape(5, 4))
    for direction in (flow.forward_and_log_det, flow.inverse_and_log_det):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(values)
            mapped, log_det = direction(values)
            rows = tf.unstack(mapped, axis=-1)
        jacobian = np.stack([tape.gradient(row, values) for row in rows], axis=1)
        np.testing.assert_allclose(log_det, np.linalg.slogdet(jacobian)[1], atol=1e-10)
    np.testing.assert_allclose(flow.inverse(flow.forward(values)), values, atol=1e-10)


def test_shapes_that_a_graph_does_not_know() -> None:
    raw, y = draw(12, 2), noise(12)

    @tf.function(
        autograph=False,
        input_signature=[
            tf.TensorSpec([None, None, 8], tf.float64),
            tf.TensorSpec(None, tf.float64),
        ],
    )
    def evaluate(raw: tf.Tensor, y: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch((raw, y))
            bijector = MixtureOfLogistics.from_unconstrained(raw, 2)
            x, log_det = bijector.inverse_and_log_det(y)
        return [x, log_det, bijector.forward(x), *tape.gradient((x, log_det), (raw, y))]

    x, log_det, back, by_raw, by_y = evaluate(raw.reshape(3, 4, 8), y[:4])
    assert x.shape == log_det.shape == (3, 4)
    np.testing.assert_allclose(back, np.broadcast_to(y[:4], (3, 4)), atol=1e-12)
    assert by_raw.shape == (3, 4, 8) and by_y.shape == (4,)
