from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from bijectors import SCALAR_MAPS, AutoregressiveHidden, ConditionalMADE, FixedPointHidden

_SIZE, _ROWS = 6, 8


def _arguments(name, spread):
    """A network with weights of size `spread`, its scalar map, a context and an offset."""
    keras.utils.set_random_seed(0)
    scalar = SCALAR_MAPS[name]
    made = ConditionalMADE(_SIZE, scalar.num_params, 3, (12, 9), output_scale=scalar.output_scale)
    rng = np.random.default_rng(0)
    for variable in made.trainable_variables:
        variable.assign(rng.normal(0, spread, variable.shape))
    context = tf.constant(rng.normal(size=(_ROWS, 3)), tf.float32)
    offset = tf.constant(rng.normal(size=(_ROWS, 12)), tf.float32)
    return made, scalar.from_unconstrained, context, offset


def _noise(shape=(_ROWS, _SIZE)):
    return tf.random.stateless_normal(shape, [0, 1])


@pytest.mark.parametrize("spread", [0.2, 0.5])
@pytest.mark.parametrize("name", SCALAR_MAPS)
def test_it_is_the_serial_solution(name, spread):
    arguments = _arguments(name, spread)
    expected, expected_log_det = AutoregressiveHidden(*arguments).forward_and_log_det(_noise())
    z, log_det = FixedPointHidden(*arguments).forward_and_log_det(_noise())
    np.testing.assert_allclose(z, expected, rtol=2e-4, atol=2e-4)
    np.testing.assert_allclose(log_det, expected_log_det, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", SCALAR_MAPS)
def test_the_noise_of_its_answer_is_the_noise_it_was_given(name):
    flow = FixedPointHidden(*_arguments(name, 0.3))
    again, _ = flow.inverse_and_log_det(flow.forward(_noise()))
    np.testing.assert_allclose(again, _noise(), atol=1e-4)


def test_as_many_sweeps_as_dimensions_are_exact_whatever_the_tolerance(monkeypatch):
    monkeypatch.setattr(FixedPointHidden, "tolerance", -1.0)  # Never reached.
    arguments = _arguments("nlsq", 1.0)
    expected = AutoregressiveHidden(*arguments).forward(_noise())
    z = FixedPointHidden(*arguments).forward(_noise())
    assert np.abs(expected).max() > 100  # These weights are extreme.
    np.testing.assert_allclose(z, expected, rtol=1e-3, atol=1e-4)


def test_a_vector_is_not_changed_by_its_neighbours(monkeypatch):
    monkeypatch.setattr(FixedPointHidden, "tolerance", 10.0)  # It ends far from the root.
    made, scalar_map, context, offset = _arguments("nlsq", 0.5)
    eps = _noise()
    wild = eps * tf.constant([[1.0]] + [[100.0]] * (_ROWS - 2) + [[np.nan]])  # Which never ends.
    z = FixedPointHidden(made, scalar_map, context, offset).forward(eps)
    beside = FixedPointHidden(made, scalar_map, context, offset).forward(wild)
    np.testing.assert_array_equal(z[0], beside[0])


def test_nan_ends_and_stays_in_its_vector():
    eps = tf.tensor_scatter_nd_update(_noise(), [[2, 0]], [np.nan])
    z = FixedPointHidden(*_arguments("nlsq", 0.3)).forward(eps).numpy()
    assert np.isnan(z[2, 0]) and np.isfinite(np.delete(z, 2, axis=0)).all()


def test_more_batch_dimensions_and_none_of_a_batch():
    made, scalar_map, _, _ = _arguments("nlsq", 0.3)
    for shape in ((2, 3, _SIZE), (0, _SIZE)):
        context = tf.zeros([*shape[:-1], 3])
        z, log_det = FixedPointHidden(made, scalar_map, context).forward_and_log_det(_noise(shape))
        assert z.shape == shape and log_det.shape == shape[:-1]
