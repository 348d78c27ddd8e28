"""The spline: its interval, and its number of bins."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bijectors import HIDDEN_STRUCTURES, SCALAR_MAPS, CouplingTime
from bijectors.scalar.spline import rational_quadratic_spline
from tests.bijectors.scalar.maps import BATCH, EVENT, draw


def test_spline_is_the_identity_outside_its_interval() -> None:
    raw, _ = draw("spline")
    spline = rational_quadratic_spline(raw, interval=(-2.0, 2.0))
    x = tf.constant([[-5.0], [-2.0], [2.0], [3.0]], tf.float64)[:, None]
    np.testing.assert_allclose(spline.forward(x), np.broadcast_to(x, (4, BATCH, EVENT)))
    x = np.array([-6.0, -5.9, 5.9, 6.0])[:, None, None]
    moved = np.abs(rational_quadratic_spline(raw).forward(x) - x).max(axis=(1, 2)) > 1e-6
    assert moved.tolist() == [False, True, True, False]
    for slopes in ({"min_slope": 1.0}, {"min_slope": 0.0}, {"max_slope": 0.5}):
        with pytest.raises(ValueError, match="expected min_slope in .* and max_slope above 1"):
            rational_quadratic_spline(raw, **slopes)
    with pytest.raises(ValueError, match="expected num_bins >= 2; got 1"):
        rational_quadratic_spline(raw, num_bins=1)
    with pytest.raises(ValueError, match="expected an interval longer than .* 0.08; got"):
        rational_quadratic_spline(raw, interval=(1.0, 1.0))


class _Nothing:
    def covariates(self, batch_shape, num_steps):
        return ()

    def between(self, inputs, covariates, first):
        return None


def test_a_coupling_of_a_batch_of_unknown_size() -> None:
    structure, spline = HIDDEN_STRUCTURES["scf"], SCALAR_MAPS["spline:4"]
    network = structure.network(2, spline.num_params)  # It maps one of two dimensions.
    flow = CouplingTime(
        _Nothing(), lambda context: structure.bijector(network, spline.from_unconstrained, context)
    )
    z = tf.random.stateless_normal([2, 3, 2], seed=[0, 0])
    compute = tf.function(
        flow.inverse_and_log_det,
        input_signature=[tf.TensorSpec([None, None, 2])],
        autograph=False,
    )
    for value, expected in zip(compute(z), flow.inverse_and_log_det(z), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-5)


def test_one_dimension_of_a_batch_of_unknown_size_is_sampled() -> None:
    structure, spline = HIDDEN_STRUCTURES["af"], SCALAR_MAPS["spline:4"]
    network = structure.network(1, spline.num_params, hidden_sizes=(4,))
    flow = structure.bijector(network, spline.from_unconstrained)
    sample = tf.function(
        flow.forward, input_signature=[tf.TensorSpec([None, 1, 1])], autograph=False
    )
    assert sample(tf.zeros([2, 1, 1])).shape == (2, 1, 1)
