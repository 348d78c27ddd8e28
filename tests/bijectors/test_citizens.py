"""Bijectors of vectors as citizens of TFP: copies, batch shapes, slices, dtypes, distributions."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors import (
    HIDDEN_STRUCTURES,
    SCALAR_MAPS,
    FixedPointHidden,
    IndependentTime,
    Reverse,
    with_reversals,
)
from bijectors.base import FlowBijector

SIZE, BATCH = 3, 4
CONTEXT = tf.constant(np.random.default_rng(0).normal(size=(BATCH, 2)), tf.float32)
OFFSET = tf.constant(np.random.default_rng(2).normal(size=(BATCH, 8)), tf.float32)


def hidden(name: str) -> FlowBijector:
    scalar, structure = SCALAR_MAPS["nlsq"], HIDDEN_STRUCTURES.get(name, HIDDEN_STRUCTURES["af"])
    network = structure.network(SIZE, scalar.num_params, context_size=2, hidden_sizes=(8, 8))
    kind = FixedPointHidden if name == "fixed point" else structure.bijector
    return kind(network, scalar.from_unconstrained, CONTEXT, OFFSET)


CASES: dict[str, Callable[[], FlowBijector]] = {
    **{name: lambda name=name: hidden(name) for name in [*HIDDEN_STRUCTURES, "fixed point"]},
    "compose": lambda: with_reversals([hidden("af"), hidden("scf")]),
}
every_case = pytest.mark.parametrize("case", CASES)
X = np.random.default_rng(1).normal(size=(BATCH, SIZE)).astype(np.float32)


@every_case
def test_a_copy_is_the_same_map(case: str) -> None:
    bijector = CASES[case]()
    copy = bijector.copy(name="another")
    assert copy.name == "another" and set(copy.parameters) == set(bijector.parameters)
    np.testing.assert_array_equal(copy.forward(X), bijector.forward(X))


@every_case
def test_it_is_joined_to_tfps_own(case: str) -> None:
    bijector, exp, shift = CASES[case](), tfp.bijectors.Exp(), tfp.bijectors.Shift(1.0)
    chain = tfp.bijectors.Chain([exp, bijector, shift])
    expected = np.exp(bijector.forward(X + 1.0))
    np.testing.assert_allclose(chain.forward(X), expected, rtol=1e-6)
    np.testing.assert_allclose(chain.inverse(expected), X, atol=1e-4)
    np.testing.assert_allclose(bijector(shift)(X), bijector.forward(X + 1.0), rtol=1e-6)
    blocks = tfp.bijectors.Blockwise([bijector, exp], [SIZE, 2])
    values = np.concatenate([X, X[:, :2]], axis=1)
    np.testing.assert_allclose(blocks.forward(values)[:, :SIZE], bijector.forward(X), rtol=1e-6)


@every_case
def test_batch_shape_and_slices_are_those_of_the_context(case: str) -> None:
    bijector = CASES[case]()
    assert bijector.experimental_batch_shape(x_event_ndims=1) == [BATCH]
    np.testing.assert_array_equal(bijector.experimental_batch_shape_tensor(x_event_ndims=1), [4])
    np.testing.assert_allclose(bijector[1:3].forward(X[1:3]), bijector.forward(X)[1:3], rtol=1e-5)


def test_a_reversal_has_no_parameters() -> None:
    reverse = Reverse()
    assert reverse.parameters == {"name": "reverse"} and reverse.is_constant_jacobian
    assert reverse.experimental_batch_shape(x_event_ndims=1) == []
    np.testing.assert_array_equal(reverse.copy().forward(X), X[:, ::-1])


@every_case
def test_a_base_without_the_batch_of_the_context(case: str) -> None:
    base = tfp.distributions.MultivariateNormalDiag(tf.zeros([SIZE]))
    latent = tfp.distributions.TransformedDistribution(base, CASES[case]())
    assert latent.batch_shape == [BATCH]
    z = latent.sample(2, seed=[0, 1])
    assert z.shape == (2, BATCH, SIZE) and latent.log_prob(z).shape == (2, BATCH)
    assert latent.sample(seed=[0, 1]).shape == (BATCH, SIZE)


@every_case
def test_values_without_the_batch_of_the_context_are_repeated(case: str) -> None:
    bijector = CASES[case]()
    for method in (bijector.forward, bijector.inverse):
        np.testing.assert_allclose(method(X[0]), method(np.repeat(X[:1], 4, 0)), rtol=1e-5)


@every_case
@pytest.mark.parametrize(
    "dtype",
    [np.int64, *(pytest.param(t, marks=pytest.mark.nightly) for t in (np.float64, np.uint8))],
)
def test_other_real_numbers_are_cast(case: str, dtype: type) -> None:
    bijector, values = CASES[case](), np.array([[1, 0, 2]] * BATCH)
    expected = bijector.forward(values.astype(np.float32))
    for given in (values.astype(dtype), tf.constant(values, dtype)):
        y, log_det = bijector.forward_and_log_det(given)
        assert y.dtype == log_det.dtype == tf.float32
        for value in (y, bijector.forward(given)):
            np.testing.assert_array_equal(value, expected)
        np.testing.assert_array_equal(bijector.forward_log_det_jacobian(given, 1), log_det)
        _, log_det = bijector.inverse_and_log_det(given)
        np.testing.assert_array_equal(bijector.inverse_log_det_jacobian(given, 1), log_det)


@pytest.mark.parametrize("name", [*HIDDEN_STRUCTURES, "fixed point"])
@pytest.mark.parametrize("shape", [(BATCH, SIZE + 1), (SIZE - 1,), ()])
def test_values_of_another_size_are_refused(name: str, shape: tuple[int, ...]) -> None:
    bijector = hidden(name)
    for method in (bijector.forward, bijector.inverse_and_log_det):
        with pytest.raises(ValueError, match=r"expected values \[\.\.\., 3\] for .*; got shape"):
            method(np.zeros(shape, np.float32))


@pytest.mark.parametrize("name", HIDDEN_STRUCTURES)
def test_a_context_may_be_a_list(name: str) -> None:
    bijector = hidden(name)
    listed = bijector.copy(context=CONTEXT.numpy().tolist())
    np.testing.assert_array_equal(listed.forward(X), bijector.forward(X))


@pytest.mark.parametrize("name", HIDDEN_STRUCTURES)
@pytest.mark.parametrize("kind", [np.float32, np.float64, keras.Variable, tf.Variable])
def test_a_context_may_be_an_array_or_a_variable(name: str, kind: Callable) -> None:
    bijector = hidden(name)
    other = bijector.copy(context=kind(CONTEXT.numpy()))
    np.testing.assert_array_equal(other.forward(X), bijector.forward(X))
    assert other.experimental_batch_shape(x_event_ndims=1) == [BATCH]
    assert len(other.trainable_variables) == (kind not in (np.float32, np.float64))


@pytest.mark.parametrize("values", [[["a", "b", "c"]], [[True, False, True]], [[1j, 0, 0]]])
def test_what_is_no_real_number_is_refused(values: list) -> None:
    with pytest.raises(ValueError, match="expected real numbers for reverse; got values of dtype"):
        Reverse().forward(tf.constant(values))


class _NoContext:
    """A conditioner that says nothing."""

    def covariates(self, batch_shape: tf.Tensor, num_steps: int) -> tuple:
        return ()

    def scan(self, inputs: tf.Tensor, covariates: tuple) -> None:
        return None


def test_along_time_the_batch_is_that_of_the_lengths() -> None:
    bijector = IndependentTime(
        _NoContext(), lambda context: Reverse(), tf.constant([2, 1]), dtype="float64"
    )
    assert bijector.copy().dtype == tf.float64
    assert bijector.experimental_batch_shape(x_event_ndims=2) == [2]
    x = np.arange(12).reshape(2, 2, 3)
    np.testing.assert_array_equal(bijector.copy().forward(x), bijector.forward(x))
    with pytest.raises(ValueError, match="expected a part of the batch to be asked of a new Ind"):
        bijector[:1]
