"""The root finder on functions whose roots are known: values, derivatives, shapes, hard cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors import find_root
from tests.modes import MODES, every_mode


def cubic(x: tf.Tensor, p: tf.Tensor, q: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """`p x + q x^3`."""
    return p * x + q * x**3, tf.math.log(p + 3 * q * x**2)


def cubic_root(target: tf.Tensor, p: tf.Tensor, q: tf.Tensor) -> tf.Tensor:
    bound = tf.abs(target / p)
    return find_root(cubic, (p, q), target, -bound, bound)


def draw(n: int, dtype: type = np.float64) -> list[tf.Tensor]:
    rng = np.random.default_rng(0)
    target, p, q = rng.normal(0, 20, n), rng.uniform(0.01, 2, n), rng.uniform(0.01, 5, n)
    return [tf.constant(values, dtype) for values in (target, p, q)]


@every_mode
@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 1e-6), (np.float64, 1e-14)])
def test_the_roots_of_cubics(dtype: type, tolerance: float, mode: str) -> None:
    target, p, q = draw(100, dtype)
    x = MODES[mode](cubic_root)(target, p, q)
    assert x.dtype == dtype
    expected = [
        roots[abs(roots.imag).argmin()].real
        for roots in (np.roots([c, 0, b, -a]) for a, b, c in zip(target, p, q, strict=True))
    ]
    np.testing.assert_allclose(x, expected, rtol=100 * tolerance)
    np.testing.assert_allclose(cubic(x, p, q)[0], target, rtol=10 * tolerance, atol=tolerance)


@every_mode
def test_derivatives_are_those_of_the_implicit_function_theorem(mode: str) -> None:
    target, p, q = draw(50)

    def evaluate(*values: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as outer:
            outer.watch(values)
            with tf.GradientTape() as inner:
                inner.watch(values)
                x = cubic_root(*values)
            first = inner.gradient(x, values)
        return [x, first, outer.gradient(first[0], values)]

    x, first, second = MODES[mode](evaluate)(target, p, q)
    slope = p + 3 * q * x**2
    for got, expected in zip(first, (1 / slope, -x / slope, -(x**3) / slope), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)
    # Of dx/dtarget = 1 / (p + 3 q x^2), x depending on all three.
    by_x = -6 * q * x / slope**2
    for got, partial, moved in zip(second, (0, 1, 3 * x**2), first, strict=True):
        np.testing.assert_allclose(got, by_x * moved - partial / slope**2, rtol=1e-9, atol=1e-12)


def test_a_parameter_that_is_shared_gets_the_sum_of_its_gradients() -> None:
    target, p, _ = draw(6)
    q = tf.constant(0.5, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(q)
        x = cubic_root(target, p, q)
    np.testing.assert_allclose(tape.gradient(x, q), tf.reduce_sum(-(x**3) / (p + 1.5 * x**2)))


@pytest.mark.parametrize("jit", [False, True])
def test_inside_a_loop_that_is_differentiated(jit: bool) -> None:
    target, p, q = draw(5)

    @tf.function(jit_compile=jit, autograph=False)
    def evaluate(q: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(q)
            _, x = tf.while_loop(
                lambda k, x: k < 3,
                lambda k, x: (k + 1, cubic_root(x + target, p, q)),
                (0, tf.zeros_like(target)),
                maximum_iterations=3,
            )
        return x, tape.gradient(x, q)

    x, gradient = evaluate(q)
    change = 1e-6
    difference = (evaluate(q + change)[0] - evaluate(q - change)[0]) / (2 * change)
    assert np.abs(x).min() > 0
    np.testing.assert_allclose(gradient, difference, rtol=1e-6, atol=1e-9)


def test_shapes_that_a_graph_does_not_know() -> None:
    target, p, q = draw(12)

    @tf.function(
        autograph=False,
        input_signature=[
            tf.TensorSpec(shape, tf.float64) for shape in ([None], [None, None], None)
        ],
    )
    def evaluate(target: tf.Tensor, p: tf.Tensor, q: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch((target, p, q))
            bound = tf.abs(target / p)
            x = find_root(cubic, (p, q), target, -bound, bound)
        return [x, *tape.gradient(x, (target, p, q))]

    x, *gradients = evaluate(target[:4], tf.reshape(p, [3, 4]), q[0])
    np.testing.assert_allclose(cubic(x, tf.reshape(p, [3, 4]), q[0])[0][2], target[:4], rtol=1e-13)
    assert [gradient.shape for gradient in gradients] == [(4,), (3, 4), ()]


def steps_taken(function, *arguments: tf.Tensor, find: Callable = find_root) -> int:
    """How often a root finder asks for the function's value."""
    count = 0

    def counted(*values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        nonlocal count
        count += 1
        return function(*values)

    find(counted, *arguments)
    return count


def chandrupatla(
    function: Callable,
    parameters: Sequence[tf.Tensor],
    target: tf.Tensor,
    low: tf.Tensor,
    high: tf.Tensor,
) -> tf.Tensor:
    """TFP's root finder, with the arguments of `find_root`."""
    return tfp.math.find_root_chandrupatla(
        lambda x: function(x, *parameters)[0] - target, low, high, position_tolerance=1e-12
    ).estimated_root


def test_few_steps_and_never_many() -> None:
    target, p, q = draw(2000)
    bound = tf.abs(target / p)
    problem = (cubic, (p, q), target, -bound, bound)
    assert steps_taken(*problem) <= 20 < steps_taken(*problem, find=chandrupatla)

    # Newton's method alone runs away from the root of arctan.
    def hard(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.atan(x), -tf.math.log1p(x * x)

    root = tf.math.tan(tf.constant([-1.57, 0.0, 1e-3, 1.5], tf.float64))
    low, high = (
        tf.fill([4], tf.constant(-1e6, tf.float64)),
        tf.fill([4], tf.constant(3e6, tf.float64)),
    )
    target = tf.atan(root)
    np.testing.assert_allclose(find_root(hard, (), target, low, high), root, rtol=1e-9, atol=1e-12)
    assert steps_taken(hard, (), target, low, high) <= 60

    # And here it creeps: each step is 8 / 9 of the one before.
    def flat(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return x**9, tf.math.log(9 * x**8)

    np.testing.assert_allclose(find_root(flat, (), low / 1e6, low, high), -tf.ones([4]), rtol=1e-9)
    assert steps_taken(flat, (), low / 1e6, low, high) <= 60


def test_a_plateau_has_a_root_on_it_and_finite_derivatives() -> None:
    def steps(x: tf.Tensor, at: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        u = x - at
        slope = tf.cosh(u + 60) ** -2 + tf.cosh(u - 60) ** -2  # 0 in float32 from 44 away.
        return tf.tanh(u + 60) + tf.tanh(u - 60), tf.math.log(slope)

    at = tf.constant([0.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(at)
        x = find_root(steps, (at,), tf.zeros([2]), tf.fill([2], -100.0), tf.fill([2], 110.0))
    assert (np.abs(x - at) < 55).all()
    assert np.isfinite(tape.gradient(x, at)).all()


def test_a_root_at_a_bound_and_between_equal_bounds() -> None:
    p, q = tf.ones([3]), tf.zeros([3])
    low, high = tf.constant([1.0, 0.0, 2.0]), tf.constant([2.0, 1.0, 2.0])
    x = find_root(cubic, (p, q), tf.constant([1.0, 1.0, 2.0]), low, high)
    np.testing.assert_allclose(x, [1.0, 1.0, 2.0], rtol=1e-6)
    # Of the largest numbers, whose sum is infinite.
    low, target, high = (tf.constant([value]) for value in (2e38, 3e38, 3.4e38))
    x = find_root(lambda x: (x, tf.zeros_like(x)), (), target, low, high)
    np.testing.assert_array_equal(x, target)


def test_no_root_depends_on_its_neighbours() -> None:
    # So steep that no float32 comes near to the target: it ends as steps get short.
    def steep(x: tf.Tensor, cube: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return 1e6 * (x**3 - cube), tf.math.log(3e6 * x * x)

    cube = tf.constant(np.random.default_rng(0).uniform(1, 100, 50), tf.float32)
    low, high = tf.fill([50], 0.5), tf.fill([50], 10.0)
    together = find_root(steep, (cube,), tf.zeros([50]), low, high)
    np.testing.assert_allclose(together, np.cbrt(cube), rtol=1e-6)
    assert steps_taken(steep, (cube,), tf.zeros([50]), low, high) <= 20
    cube, low, high = (
        tf.concat([values, [end]], 0) for values, end in ((cube, 1e-9), (low, 1e-9), (high, 1e9))
    )
    beside = find_root(steep, (cube,), tf.zeros([51]), low, high)
    np.testing.assert_array_equal(beside[:-1], together)


def test_what_is_no_number_has_no_root_and_stops_nothing() -> None:
    target, p, q = draw(4)
    target = tf.concat([[np.nan], target[1:]], 0)
    bound = tf.fill([4], tf.constant(1e4, tf.float64))
    x = find_root(cubic, (p, q), target, -bound, bound)
    assert list(np.isnan(x)) == [True, False, False, False]
    alone = (target[:1], -bound[:1], bound[:1])
    assert steps_taken(cubic, (p[:1], q[:1]), *alone) == 1
