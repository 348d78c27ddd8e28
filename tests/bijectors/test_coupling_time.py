"""Coupling across steps: what is kept, what is mapped, and that both directions are parallel."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors import (
    AdjointInverseAutoregressiveTime,
    AutoregressiveTime,
    Compose,
    CouplingTime,
    InverseAutoregressiveTime,
    TimeBijector,
)

pytestmark = pytest.mark.usefixtures("float64")

H = 2


class Neighbours:
    """Context: the sum of the vectors before and after, which no padding changes."""

    def __init__(self) -> None:
        self.calls = 0

    def covariates(self, batch_shape, num_steps):
        return ()

    def between(self, inputs, covariates, first):
        self.calls += 1
        padded = tf.pad(inputs, [[0, 0], [1, 1], [0, 0]])
        return (padded[:, 2:] + padded[:, :-2])[:, first::2]


def hidden(context: tf.Tensor) -> tfp.bijectors.Bijector:
    scale = 1 + tf.nn.softplus(context)
    return tfp.bijectors.Shift(tf.tanh(context))(tfp.bijectors.Scale(scale))


def draw(num_steps: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(2, num_steps, H))


@pytest.mark.parametrize("num_steps", [0, 1, 2, 5])
@pytest.mark.parametrize("kept", [0, 1])
def test_equals_its_formula(num_steps: int, kept: int) -> None:
    eps, conditioner = draw(num_steps), Neighbours()
    z, log_det = CouplingTime(conditioner, hidden, kept=kept).forward_and_log_det(eps)
    expected, total = eps.copy(), np.zeros(2)
    for t in range(1 - kept, num_steps, 2):
        context = sum(eps[:, s] for s in (t - 1, t + 1) if 0 <= s < num_steps) + np.zeros((2, H))
        scale = 1 + np.log1p(np.exp(context))
        expected[:, t] = scale * eps[:, t] + np.tanh(context)
        total += np.log(scale).sum(-1)
    np.testing.assert_allclose(z, expected, atol=1e-12)
    np.testing.assert_allclose(log_det, total, atol=1e-12)
    assert conditioner.calls == 1


@pytest.mark.parametrize("kept", [0, 1])
def test_a_conditioner_gets_kept_steps_alone(kept: int) -> None:
    class Notes(Neighbours):
        def between(self, inputs, covariates, first):
            self.inputs = inputs
            return super().between(inputs, covariates, first)

    eps, conditioner = draw(5), Notes()
    CouplingTime(conditioner, hidden, kept=kept).forward(eps)
    expected = np.zeros_like(eps)
    expected[:, kept::2] = eps[:, kept::2]
    np.testing.assert_array_equal(conditioner.inputs, expected)


def test_the_inverse_and_the_log_det_of_two_layers() -> None:
    lengths = tf.constant([5, 2])
    flow = Compose(
        [CouplingTime(Neighbours(), hidden, lengths, kept=k) for k in (0, 1)], event_ndims=2
    )
    eps = tf.constant(draw(5))
    z, log_det = flow.forward_and_log_det(eps)
    back, inverse = flow.inverse_and_log_det(z)
    np.testing.assert_allclose(back, eps, atol=1e-12)
    np.testing.assert_allclose(inverse, -log_det, atol=1e-12)
    np.testing.assert_array_equal(z[1, 2:], eps[1, 2:])
    with tf.GradientTape() as tape:
        tape.watch(eps)
        z = tf.reshape(flow.forward(eps), [2, -1])
    jacobian = tf.reshape(tape.batch_jacobian(z, eps), [2, 5 * H, 5 * H])
    np.testing.assert_allclose(np.linalg.slogdet(jacobian)[1], log_det, atol=1e-12)


def test_a_stride_is_a_coupling_of_every_other_step() -> None:
    eps, lengths = draw(7), tf.constant([7, 4])  # Of which steps 0, 2, 4, 6 and 0, 2 take part.
    z, log_det = CouplingTime(Neighbours(), hidden, lengths, stride=2).forward_and_log_det(eps)
    part = CouplingTime(Neighbours(), hidden, tf.constant([4, 2]))
    expected, total = part.forward_and_log_det(eps[:, ::2])
    np.testing.assert_array_equal(z[:, ::2], expected)
    np.testing.assert_array_equal(z[:, 1::2], eps[:, 1::2])
    np.testing.assert_array_equal(log_det, total)
    flow = CouplingTime(Neighbours(), hidden, lengths, stride=2)
    back, log_dets = flow.inverse_and_step_log_dets(z)
    np.testing.assert_allclose(back, eps, atol=1e-12)
    np.testing.assert_array_equal(log_dets.numpy()[:, [0, 1, 3, 4, 5]], 0.0)
    np.testing.assert_allclose(tf.reduce_sum(log_dets, -1), -log_det, atol=1e-12)


class Total:
    """Context: the sum of the vectors before."""

    def covariates(self, batch_shape, num_steps):
        return ()

    def initial_state(self, batch_shape, num_steps):
        return tf.zeros(tf.concat([batch_shape, [H]], axis=0), tf.float64)

    def step(self, inputs, covariates, state):
        return state + inputs, state + inputs

    def scan(self, inputs, covariates):
        return tf.cumsum(inputs, axis=-2)


@pytest.mark.parametrize(
    "kind", [AutoregressiveTime, InverseAutoregressiveTime, AdjointInverseAutoregressiveTime]
)
def test_every_structure_has_a_stride(kind: type[TimeBijector]) -> None:
    eps = draw(7)
    flow = kind(Total(), hidden, tf.constant([7, 4]), stride=3)  # Steps 0, 3, 6 and 0, 3.
    z, log_det = flow.forward_and_log_det(eps)
    expected, total = kind(Total(), hidden, tf.constant([3, 2])).forward_and_log_det(eps[:, ::3])
    np.testing.assert_allclose(z[:, ::3], expected, atol=1e-12)
    np.testing.assert_allclose(log_det, total, atol=1e-12)
    np.testing.assert_array_equal(z[:, 1::3], eps[:, 1::3])
    back, inverse = flow.inverse_and_log_det(z)
    np.testing.assert_allclose(back, eps, atol=1e-12)
    np.testing.assert_allclose(inverse, -log_det, atol=1e-12)


@pytest.mark.parametrize("num_steps", [0, 1, 2])
def test_a_stride_beyond_the_sequence_maps_nothing(num_steps: int) -> None:
    eps = draw(num_steps)
    z, log_det = CouplingTime(Neighbours(), hidden, stride=4).forward_and_log_det(eps)
    np.testing.assert_array_equal(z, eps)
    np.testing.assert_array_equal(log_det, 0.0)


def test_a_stride_is_at_least_one_and_one_of_two_is_kept() -> None:
    with pytest.raises(ValueError, match="expected a stride, a whole number of at least 1; got 0"):
        CouplingTime(Neighbours(), hidden, stride=0)
    with pytest.raises(ValueError, match="^expected kept to be 0 or 1; got 2$"):
        CouplingTime(Neighbours(), hidden, kept=2)


def test_nothing_beyond_a_length_is_read() -> None:
    eps = draw(5)
    eps[1, 2:] = np.nan
    bijector = CouplingTime(Neighbours(), hidden, tf.constant([5, 2]), kept=0)
    z, log_det = bijector.forward_and_log_det(eps)
    assert np.isfinite(z[1, :2]).all() and np.isfinite(log_det).all()


@pytest.mark.parametrize("stride", [1, np.int64(2)])
def test_a_copy_keeps_the_same_steps(stride: int) -> None:
    eps = draw(5)
    bijector = CouplingTime(Neighbours(), hidden, kept=1, stride=stride)
    z = bijector.forward(eps)
    np.testing.assert_array_equal(bijector.copy(name="other").forward(eps), z)
    np.testing.assert_array_equal(z[:, stride :: 2 * stride], eps[:, stride :: 2 * stride])
    assert np.all(z[:, :: 2 * stride] != eps[:, :: 2 * stride])
