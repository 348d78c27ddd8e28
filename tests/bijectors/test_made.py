"""Conditional MLP and MADE: what depends on what, and the incremental solution."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from bijectors import ConditionalMADE, ConditionalMLP
from bijectors.hidden.mlp import readable

BATCH, CONTEXT = 3, 4


def randomise(layer: ConditionalMLP, scale: float = 0.7) -> None:
    rng = np.random.default_rng(0)
    for variable in layer.trainable_variables:
        variable.assign(rng.normal(0, scale, variable.shape))


def made(event_size: int, hidden_sizes: tuple[int, ...] = (7, 9), context: int = CONTEXT):
    layer = ConditionalMADE(event_size, 2, context, hidden_sizes, output_scale=(1.0, 0.5))
    randomise(layer)
    return layer


def draw(*shape: int) -> tf.Tensor:
    return tf.constant(np.random.default_rng(1).normal(size=shape))


@pytest.mark.parametrize("event_size", [1, 2, 5, 7])
def test_jacobian_is_strictly_triangular(float64: None, event_size: int) -> None:
    layer = made(event_size, (21, 27))  # wide enough that no dimension's units are all at rest
    x, context = draw(20, event_size), draw(20, CONTEXT)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, context])
        params = layer(x, context)
    by_x = tape.batch_jacobian(params, x).numpy()  # [B, H, P, H]
    by_context = tape.batch_jacobian(params, context).numpy()
    for i, j in itertools.product(range(event_size), repeat=2):
        assert np.all(by_x[:, i, :, j] == 0) == (j >= i), (i, j)
    assert np.all(np.abs(by_context).max(axis=(0, 2, 3)) > 0)  # the first dimension too


def test_every_parameter_has_its_scale(float64: None) -> None:
    plain, x, context = ConditionalMADE(3, 2, CONTEXT, (7, 9)), draw(BATCH, 3), draw(BATCH, CONTEXT)
    randomise(plain)
    np.testing.assert_allclose(made(3)(x, context), plain(x, context) * [1.0, 0.5], rtol=1e-12)


def test_inputs_are_read_up_to_a_limit() -> None:
    inputs = tf.constant([3e38, -np.inf, np.nan, -1e5, 2.0])
    np.testing.assert_array_equal(readable(inputs), [1e4, -1e4, 0.0, -1e4, 2.0])


def test_first_dimension_passes_through_a_nonlinear_layer(float64: None) -> None:
    layer = made(3)
    layer.context_output_kernel.assign(np.zeros(layer.context_output_kernel.shape))
    x, context = tf.zeros([1, 3], tf.float64), draw(50, CONTEXT)
    params = layer(tf.repeat(x, 50, 0), context)[:, 0]
    assert np.std(params) > 0.05


@pytest.mark.parametrize("sizes", [(5,), (8,), (7, 9), (5, 11, 6)])
@pytest.mark.parametrize("context_size", [0, CONTEXT])
def test_solve_equals_the_fixed_point(
    float64: None, sizes: tuple[int, ...], context_size: int
) -> None:
    layer = made(5, sizes, context_size)
    eps, offset = draw(2, BATCH, 5), draw(BATCH, sizes[0])
    context = draw(BATCH, CONTEXT) if context_size else None

    def affine(eps: tf.Tensor, params: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return params[..., 0] + eps * tf.exp(params[..., 1]), params[..., 1]

    x, w = layer.solve(affine, eps, context, offset)
    expected = tf.zeros_like(eps)
    for _ in range(5):  # each pass settles one more dimension
        params = layer(expected, context, offset)
        expected, expected_w = affine(eps, params)
    np.testing.assert_allclose(x, expected, rtol=1e-10)
    np.testing.assert_allclose(w, expected_w, rtol=1e-10)


def test_solve_is_differentiable_and_compiles(float64: None) -> None:
    layer, eps, context = made(4), draw(BATCH, 4), draw(BATCH, CONTEXT)

    def shift(eps: tf.Tensor, params: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return eps + params[..., 0], params[..., 1]

    def naive(eps: tf.Tensor) -> tf.Tensor:
        x = tf.zeros_like(eps)
        for _ in range(4):
            x, _ = shift(eps, layer(x, context))
        return x

    def gradients(solve) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.sin(solve(eps)))
        return tape.gradient(loss, [layer.kernels[0].value, layer.context_kernel.value])

    fast = tf.function(
        lambda: gradients(lambda e: layer.solve(shift, e, context)[0]), jit_compile=True
    )
    for a, b in zip(fast(), gradients(naive), strict=True):
        np.testing.assert_allclose(a, tf.convert_to_tensor(b), atol=1e-10)


def test_without_inputs_parameters_depend_on_the_context_alone(float64: None) -> None:
    layer = ConditionalMLP(0, 3, 2, CONTEXT, (6,))
    assert layer(None, draw(BATCH, CONTEXT)).shape == (BATCH, 3, 2)


def test_every_variable_gets_a_gradient(float64: None) -> None:
    layer = made(3)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(layer(draw(50, 3), draw(50, CONTEXT))))
    gradients = tape.gradient(loss, layer.trainable_variables)
    for variable, gradient in zip(layer.trainable_variables, gradients, strict=True):
        assert gradient is not None and np.any(gradient), variable.name


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: ConditionalMADE(5, 2, 0, (4,)), "at least the event size 5; got"),
        (lambda: ConditionalMLP(0, 0, 2), "expected positive sizes"),
        (lambda: ConditionalMLP(1, 1, 2, -1), "expected positive sizes .*, context_size=-1"),
        (lambda: ConditionalMLP(1, 1, 2, hidden_sizes=()), "at least one hidden layer; got"),
        (lambda: ConditionalMADE(1, 1, hidden_sizes=()), "at least one hidden layer; got"),
        (lambda: ConditionalMADE(1, 1, dtype="mixed_bfloat16"), "expected one dtype; got"),
        (lambda: ConditionalMLP(1, 1, 2, output_scale=(1.0,)), "expected 2 output scales"),
        (lambda: made(2)(tf.zeros([1, 2])), "expected a context of size 4; got none"),
    ],
)
def test_wrong_sizes_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_other_real_numbers_are_cast() -> None:
    layer = made(3)
    x, context = np.array([[1, 0, 2]]), np.ones([1, CONTEXT], int)
    expected = layer(x.astype(np.float32), context.astype(np.float32))
    for dtype in (np.int64, np.uint8, np.float64):
        np.testing.assert_array_equal(layer(x.astype(dtype), context.astype(dtype)), expected)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((4, CONTEXT, 7), r"expected inputs \[\.\.\., 3\]; got shape \(1, 4\)"),
        ((3, 5, 7), r"expected a context \[\.\.\., 4\]; got shape \(1, 5\)"),
        ((3, CONTEXT, 8), r"expected an offset \[\.\.\., 7\]; got shape \(1, 8\)"),
    ],
)
def test_a_wrong_size_is_refused_in_words(sizes: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made(3)(*(np.zeros([1, size], np.float32) for size in sizes))
