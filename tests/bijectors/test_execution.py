"""Matrix products, and how a model or layer is told to compute them."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bijectors import ConditionalMLP, Execution, ExecutionOwner

product = Execution().product


def draw(*shape: int) -> tf.Tensor:
    return tf.constant(np.random.default_rng(len(shape)).normal(size=shape), tf.float32)


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4), (5, 2, 3, 4)])
def test_product_is_that_of_the_last_axis(shape: tuple[int, ...]) -> None:
    values, matrix = draw(*shape), draw(4, 6)
    expected = values.numpy() @ matrix.numpy()
    np.testing.assert_allclose(product(values, matrix), expected, rtol=1e-5, atol=1e-6)


def test_products_have_a_dtype_that_rounds() -> None:
    with pytest.raises(ValueError, match="expected products to be bfloat16, .*; got 'bf16'"):
        Execution(products="bf16")


def test_a_way_of_execution_ends_with_its_context() -> None:
    network = ConditionalMLP(2, 2, 1)
    with pytest.raises(ZeroDivisionError), network.executing(products="bfloat16"):
        assert network.execution == Execution(products="bfloat16")
        raise ZeroDivisionError
    assert network.execution == Execution()


def test_operands_are_rounded() -> None:
    values, matrix = draw(3, 64), draw(64, 5)
    exact = values.numpy() @ matrix.numpy()
    rounded = [tf.cast(tf.cast(a, tf.bfloat16), tf.float32).numpy() for a in (values, matrix)]

    def gradients() -> tuple[tf.Tensor, list[tf.Tensor]]:
        with tf.GradientTape() as tape:
            tape.watch((values, matrix))
            result = Execution(products="bfloat16").product(values, matrix)
        return result, tape.gradient(result, [values, matrix])

    result, found = tf.function(gradients)()
    assert result.dtype == tf.float32
    assert {gradient.dtype for gradient in found} == {tf.float32}
    assert np.abs(result - exact).max() > 1e-3
    np.testing.assert_allclose(result, rounded[0] @ rounded[1], rtol=0.01, atol=0.1)
    np.testing.assert_allclose(product(values, matrix), exact, rtol=1e-4, atol=1e-5)


class Owner(ExecutionOwner):
    def __init__(self) -> None:
        self.alone = ConditionalMLP(2, 1, 1)
        self.many = [ConditionalMLP(2, 1, 1)]
        self.others = (ConditionalMLP(2, 1, 1),)


def test_an_execution_reaches_all_parts() -> None:
    owner, execution = Owner(), Execution(products="bfloat16")
    assert owner.execution == owner.alone.execution == Execution()
    owner.execution = execution
    assert [part.execution for part in (owner.alone, *owner.many, *owner.others)] == [execution] * 3
    assert ConditionalMLP(2, 1, 1).execution == Execution()
