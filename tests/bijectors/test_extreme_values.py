"""Values and contexts far from what training meets: what depends on what, and finite answers."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from bijectors import (
    HIDDEN_STRUCTURES,
    SCALAR_MAPS,
    AutoregressiveHidden,
    FixedPointHidden,
    NLSq,
)
from bijectors.hidden.base import HiddenBijector

SIZE, ROWS = 5, 6


def flow(
    name: str, hidden: str, context: tf.Tensor | None, kind: type[HiddenBijector] | None = None
) -> HiddenBijector:
    keras.utils.set_random_seed(0)
    scalar, structure = SCALAR_MAPS[name], HIDDEN_STRUCTURES[hidden]
    network = structure.network(
        SIZE,
        scalar.num_params,
        context_size=0 if context is None else 2,
        hidden_sizes=(8, 8, 8),
        output_scale=scalar.output_scale,
    )
    return (kind or structure.bijector)(network, scalar.from_unconstrained, context)


def noise() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(ROWS, SIZE)).astype(np.float32)


@pytest.mark.parametrize("kind", [AutoregressiveHidden, FixedPointHidden])
@pytest.mark.parametrize("name", SCALAR_MAPS)
def test_no_value_reaches_an_earlier_dimension(name: str, kind: type[HiddenBijector]) -> None:
    bijector = flow(name, "af", None, kind)
    values = noise()
    for direction in (bijector.forward, bijector.inverse):
        method = tf.function(direction, autograph=False)
        clean = method(tf.constant(values)).numpy()
        for i, value in itertools.product(range(SIZE), [np.nan, np.inf, -np.inf, 3e38, -1e30]):
            soiled = values.copy()
            soiled[:, i] = value
            answer = method(tf.constant(soiled))[:, :i]
            np.testing.assert_allclose(answer, clean[:, :i], rtol=1e-5, atol=1e-5)


def test_no_gradient_comes_from_a_later_dimension() -> None:
    values = tf.constant(noise())
    soiled = tf.tensor_scatter_nd_update(values, [[0, 3]], [1e30])
    bijector = flow("nlsq", "af", None)
    gradients = []
    for point in (values, soiled):
        with tf.GradientTape() as tape:
            tape.watch(point)
            first = tf.reduce_sum(bijector.inverse(point)[:, :3])
        gradients.append(tape.gradient(first, point).numpy())
    assert np.abs(gradients[0][:, :3]).max() > 0 and not np.any(gradients[1][:, 3:])
    np.testing.assert_array_equal(*gradients)


# NLSq with every structure and one mixture by day, the other pairs at night.
every_map_and_structure = pytest.mark.parametrize(
    ("name", "hidden"),
    [
        pytest.param(
            name,
            hidden,
            marks=()
            if name == "nlsq" or (name == "mixture" and hidden == "af")
            else pytest.mark.nightly,
        )
        for name in SCALAR_MAPS
        for hidden in HIDDEN_STRUCTURES
    ],
)


def contexts(*sizes: float) -> np.ndarray:
    """Normal numbers, of each size as many rows."""
    sizes = np.repeat(sizes, ROWS // len(sizes))[:, None]
    return np.random.default_rng(1).normal(size=(ROWS, 2)) * sizes


@every_map_and_structure
def test_a_large_context_gives_finite_values_and_gradients(name: str, hidden: str) -> None:
    context = tf.constant(contexts(1e2, 1e3, 1e4), tf.float32)
    for direction in ("forward_and_log_det", "inverse_and_log_det"):
        with tf.GradientTape() as tape:
            tape.watch(context)
            bijector = flow(name, hidden, context)
            mapped, log_det = getattr(bijector, direction)(noise())
            loss = tf.reduce_sum(log_det) - tf.reduce_sum(mapped**2)
        assert np.isfinite(mapped).all() and np.isfinite(log_det).all()
        variables = bijector._network.trainable_variables
        for gradient in tape.gradient(loss, [context, *(v.value for v in variables)]):
            assert gradient is None or np.isfinite(tf.convert_to_tensor(gradient)).all()


@every_map_and_structure
def test_a_large_context_is_the_same_map_both_ways(float64: None, name: str, hidden: str) -> None:
    context = tf.constant(contexts(1e2, 1e3, 1e4))
    bijector = flow(name, hidden, context)
    z, log_det = bijector.forward_and_log_det(noise().astype(float))
    eps, inverse_log_det = bijector.inverse_and_log_det(z)
    np.testing.assert_allclose(eps, noise(), atol=1e-3)
    np.testing.assert_allclose(inverse_log_det, -log_det, rtol=1e-5, atol=1e-3)


@every_map_and_structure
def test_float32_loses_no_noise_to_a_large_context(name: str, hidden: str) -> None:
    context = tf.constant(contexts(1e3, 1e4, 1e6), tf.float32)
    bijector = flow(name, hidden, context)
    np.testing.assert_allclose(bijector.inverse(bijector.forward(noise())), noise(), atol=1e-2)


@pytest.mark.parametrize(
    "name",
    [
        "affine",
        "nlsq",
        *(pytest.param(n, marks=pytest.mark.nightly) for n in ("spline", "mixture")),
    ],
)
def test_five_layers_in_a_row_have_a_finite_loss_and_gradient(name: str) -> None:
    context = tf.constant(np.random.default_rng(1).normal(size=(ROWS, 2)) * 1e3, tf.float32)
    layers = [flow(name, "af", context) for _ in range(5)]
    for i, layer in enumerate(layers):
        layer.inverse(noise())
        for j, variable in enumerate(layer._network.trainable_variables):
            normal = np.random.default_rng([i, j]).normal(size=variable.shape)
            variable.assign(0.7 * normal)
    with tf.GradientTape() as tape:
        eps = tf.constant(noise())
        for layer in layers:
            eps = tf.reverse(layer.inverse(eps), [-1])
        loss = tf.reduce_sum(eps**2)
    gradients = tape.gradient(loss, [layer._network.trainable_variables for layer in layers])
    assert np.isfinite(loss)
    assert all(np.isfinite(tf.convert_to_tensor(g)).all() for g in tf.nest.flatten(gradients))


def test_the_bump_of_nlsq_is_bounded() -> None:
    raw = np.array([[0, 10, 9, -10, 0], [0, 30, -9, 0, 0], [0, 2.5, 1, -2.5, 0.5]])
    bijector = NLSq.from_unconstrained(raw)
    bound = 0.95 * 8 * 3**0.5 / 9
    np.testing.assert_allclose(bijector.c[:2], [bound * np.exp(7), -bound * np.exp(5)], rtol=1e-6)
    np.testing.assert_allclose(bijector.b[:2], np.exp(5), rtol=1e-6)
    np.testing.assert_allclose(bijector.d, np.exp([-2, 0, -2.5]), rtol=1e-6)


def test_the_fixed_point_is_as_exact_as_its_dtype(float64: None) -> None:
    context = tf.constant(np.random.default_rng(1).normal(size=(ROWS, 2)))
    expected = flow("nlsq", "af", context).forward(noise().astype(float))
    z = flow("nlsq", "af", context, FixedPointHidden).forward(noise().astype(float))
    np.testing.assert_allclose(z, expected, rtol=1e-11, atol=1e-11)
