"""Time bijectors with a conditioner of a few lines, against NumPy recurrences."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors import (
    AdjointInverseAutoregressiveTime,
    AutoregressiveTime,
    IndependentTime,
    InverseAutoregressiveTime,
    TimeBijector,
)

pytestmark = pytest.mark.usefixtures("float64")

B, T, H = 2, 5, 3


class RunningSum:
    """Context: the sum of all earlier vectors, plus a covariate that counts the steps."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def covariates(self, batch_shape, num_steps):
        return tf.cast(tf.range(num_steps), tf.float64)[:, None] * tf.ones([H], tf.float64)

    def initial_state(self, batch_shape, num_steps):
        return tf.zeros(tf.concat([batch_shape, [H]], 0), tf.float64)

    def step(self, inputs, covariates, state):
        self.calls.append("step")
        state += inputs
        return state + covariates, state

    def scan(self, inputs, covariates):
        self.calls.append("scan")
        return tf.cumsum(inputs, axis=-2) + covariates


def hidden(context: tf.Tensor) -> tfp.bijectors.Bijector:
    """`z = 2 eps + tanh(context)`."""
    return tfp.bijectors.Shift(tf.tanh(context))(tfp.bijectors.Scale(tf.constant(2.0, tf.float64)))


def expected(kind: type[TimeBijector], eps: np.ndarray) -> np.ndarray:
    z = np.zeros_like(eps)
    for t in range(T):
        past = {AutoregressiveTime: z, InverseAutoregressiveTime: eps}.get(kind)
        before = 0 if past is None else past[:, :t].sum(axis=1)
        z[:, t] = 2 * eps[:, t] + np.tanh(before + t)
    return z


@pytest.mark.parametrize("kind", [AutoregressiveTime, InverseAutoregressiveTime, IndependentTime])
def test_equals_the_recurrence(kind: type[TimeBijector]) -> None:
    eps = np.random.default_rng(0).normal(size=(B, T, H))
    bijector = kind(RunningSum(), hidden)
    z, log_det = bijector.forward_and_log_det(eps)
    np.testing.assert_allclose(z, expected(kind, eps), atol=1e-12)
    np.testing.assert_allclose(log_det, np.full(B, T * H * np.log(2)))
    back, inverse_log_det = bijector.inverse_and_log_det(z)
    np.testing.assert_allclose(back, eps, atol=1e-12)
    np.testing.assert_allclose(inverse_log_det, -log_det)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(
    "kind",
    [
        *(AutoregressiveTime, InverseAutoregressiveTime, AdjointInverseAutoregressiveTime),
        IndependentTime,
    ],
)
def test_the_contexts_of_latents_are_those_that_they_were_made_with(
    kind: type[TimeBijector], stride: int
) -> None:
    lengths = tf.constant([T, 3])
    eps = np.random.default_rng(0).normal(size=(B, T, H))
    bijector = kind(RunningSum(), hidden, lengths, stride)
    z = bijector.forward(eps).numpy()
    z[1, 3:] = np.nan  # Padding.
    maps = hidden(bijector.contexts(z))
    found, mapped = maps.forward(eps[:, ::stride]).numpy(), z[:, ::stride]
    within = np.isfinite(mapped)
    np.testing.assert_allclose(found[within], mapped[within], atol=1e-12)


def test_a_structure_that_does_not_say_its_contexts_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="TimeBijector does not define its contexts"):
        TimeBijector(RunningSum(), hidden).contexts(np.zeros([B, T, H]))


@pytest.mark.parametrize(
    "kind, forward, inverse",
    [
        (AutoregressiveTime, ["step"] * T, ["scan"]),
        (InverseAutoregressiveTime, ["scan"], ["step"] * T),
        (IndependentTime, ["scan"], ["scan"]),
    ],
)
def test_the_serial_direction_takes_one_step_a_time(
    kind: type[TimeBijector], forward: list[str], inverse: list[str]
) -> None:
    values = np.zeros((B, T, H))
    for method, calls in (("forward_and_log_det", forward), ("inverse_and_log_det", inverse)):
        conditioner = RunningSum()
        getattr(kind(conditioner, hidden), method)(values)
        assert conditioner.calls == calls


def test_lengths_broadcast_over_samples() -> None:
    values = np.random.default_rng(0).normal(size=(4, B, T, H))
    bijector = AutoregressiveTime(RunningSum(), hidden, lengths=[3, 0])
    z, log_det = bijector.forward_and_log_det(values)
    np.testing.assert_allclose(z[:, 0, :3], expected(AutoregressiveTime, values[:, 0])[:, :3])
    np.testing.assert_array_equal(z[:, 0, 3:], values[:, 0, 3:])
    np.testing.assert_array_equal(z[:, 1], values[:, 1])
    np.testing.assert_allclose(log_det, np.tile([3 * H * np.log(2), 0], (4, 1)))


def test_no_steps_at_all() -> None:
    for method in ("forward_and_log_det", "inverse_and_log_det"):
        values, log_det = getattr(AutoregressiveTime(RunningSum(), hidden), method)(
            np.zeros((B, 0, H))
        )
        assert values.shape == (B, 0, H)
        np.testing.assert_array_equal(log_det, np.zeros(B))


@pytest.mark.parametrize("kind", [AutoregressiveTime, InverseAutoregressiveTime, IndependentTime])
@pytest.mark.parametrize("start, stop", [(0, 5), (2, 4), (-1, 2), (3, 9), (6, 9)])
def test_a_window_is_mapped_given_what_is_before_it(
    kind: type[TimeBijector], start: int, stop: int
) -> None:
    z, eps = (np.random.default_rng(i).normal(size=(4, B, T, H)[1 - i :]) for i in (0, 1))
    bijector = kind(RunningSum(), hidden, lengths=[5, 3])
    found = bijector.forward_within(eps, z, tf.constant(start), tf.constant(stop)).numpy()
    inside = (np.arange(T) >= start) & (np.arange(T) < stop)
    # All steps of the sequence whose noise is that of z outside of the window.
    whole = np.where(inside[:, None], eps, bijector.inverse(z))
    changed = inside & (np.arange(T) < np.array([[5], [3]]))
    expected = np.where(changed[..., None], bijector.forward(whole), z)
    np.testing.assert_allclose(found, expected, atol=1e-12)


class InState(RunningSum):
    """The covariates have the batch that they are asked for, and become a part of the state."""

    def covariates(self, batch_shape, num_steps):
        return tf.zeros(tf.concat([batch_shape, [num_steps, H]], 0), tf.float64)

    def step(self, inputs, covariates, state):
        state += inputs + covariates
        return state, state


def test_a_window_has_the_covariates_of_both_batches() -> None:
    z, eps = (np.random.default_rng(i).normal(size=(4, B, T, H)[1 - i :]) for i in (0, 1))
    bijector = AutoregressiveTime(InState(), hidden)
    found = bijector.forward_within(eps, z, 2, 4)
    np.testing.assert_allclose(found[1], bijector.forward_within(eps[1], z, 2, 4), atol=1e-12)


def test_a_window_takes_no_step_beyond_it() -> None:
    conditioner = RunningSum()
    bijector = AutoregressiveTime(conditioner, hidden)
    bijector.forward_within(np.ones([B, T, H]), np.zeros([B, T, H]), 1, 3)
    assert conditioner.calls == ["step"] * 3
    strided = AutoregressiveTime(RunningSum(), hidden, stride=2)
    found = strided.forward_within(np.ones([B, T, H]), np.zeros([B, T, H]), 1, 3).numpy()
    assert (found[:, 1] == 1).all()  # Not mapped: its noise is its latent.
    assert (found[:, 2] > 2).all() and not found[:, [0, 3, 4]].any()
