"""Every row of SCALAR_MAPS as a citizen of TFP: distributions, chains, event shapes, copies."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.base import inverse_and_log_det
from tests.bijectors.scalar.maps import BATCH, EVENT, build, draw, every_map, every_own_map
from tests.modes import MODES, mostly_eager

tfb, tfd = tfp.bijectors, tfp.distributions


@every_map
@mostly_eager
def test_transformed_distribution(name: str, mode: str) -> None:
    raw, _ = draw(name)

    @MODES[mode]
    def evaluate(raw: tf.Tensor) -> list[tf.Tensor]:
        base = tfd.Normal(tf.zeros([BATCH, EVENT], tf.float64), tf.ones([], tf.float64))
        latent = tfd.Independent(tfd.TransformedDistribution(base, build(name, raw)), 1)
        z = latent.sample([3], seed=[1, 2])
        eps, log_det = inverse_and_log_det(build(name, raw), tf.identity(z), 1)
        expected = tf.reduce_sum(base.log_prob(eps), -1) + log_det
        return [z, latent.log_prob(tf.identity(z)), expected]

    z, log_prob, expected = evaluate(raw)
    assert z.shape == (3, BATCH, EVENT)
    assert log_prob.shape == (3, BATCH)
    np.testing.assert_allclose(log_prob, expected, rtol=1e-9)


@every_map
@mostly_eager
def test_invert_and_chain(name: str, mode: str) -> None:
    raw, eps = draw(name)

    @MODES[mode]
    def evaluate(raw: tf.Tensor, eps: tf.Tensor) -> list[tf.Tensor]:
        bijector = build(name, raw)
        chain = tfb.Chain([tfb.Scale(tf.constant(2.0, tf.float64)), tfb.Invert(bijector)])
        plain = build(name, tf.identity(raw))
        return [
            chain.forward(eps),
            2.0 * plain.inverse(eps),
            chain.forward_log_det_jacobian(tf.identity(eps), event_ndims=2),
            tf.reduce_sum(plain.inverse_log_det_jacobian(eps, event_ndims=0))
            + BATCH * EVENT * tf.math.log(tf.constant(2.0, tf.float64)),
        ]

    value, expected_value, log_det, expected_log_det = evaluate(raw, eps)
    np.testing.assert_allclose(value, expected_value, rtol=1e-12)
    np.testing.assert_allclose(log_det, expected_log_det, rtol=1e-9)


@every_map
def test_event_ndims(name: str) -> None:
    raw, eps = draw(name)
    bijector = build(name, raw)
    by_element = bijector.forward_log_det_jacobian(eps, event_ndims=0)
    assert bijector.forward_min_event_ndims == bijector.inverse_min_event_ndims == 0
    assert by_element.shape == (BATCH, EVENT)
    for ndims in (1, 2):
        log_det = build(name, raw).forward_log_det_jacobian(eps, event_ndims=ndims)
        axes = tuple(range(2 - ndims, 2))
        np.testing.assert_allclose(log_det, by_element.numpy().sum(axis=axes), rtol=1e-12)


@every_own_map
@pytest.mark.parametrize("variable", [pytest.param(False, marks=pytest.mark.nightly), True])
def test_slices_and_copies(name: str, variable: bool) -> None:
    raw, eps = draw(name)
    scalar = build(name, tf.Variable(raw) if variable else raw)
    base = tfd.Normal(tf.zeros([BATCH, EVENT], tf.float64), tf.ones([], tf.float64))
    latent = tfd.TransformedDistribution(base, scalar)
    z, log_prob = scalar.forward(eps), latent.log_prob(eps)
    for part in (slice(1, 3), 0, (..., tf.newaxis), (slice(None), slice(1))):
        np.testing.assert_allclose(scalar[part].forward(eps[part]), z[part], rtol=1e-12)
        np.testing.assert_allclose(latent[part].log_prob(eps[part]), log_prob[part], rtol=1e-9)
    np.testing.assert_array_equal(copy.deepcopy(scalar).forward(eps), z)
    np.testing.assert_array_equal(scalar.copy(name="another").forward(eps), z)
    np.testing.assert_array_equal(copy.deepcopy(latent).log_prob(eps), log_prob)
