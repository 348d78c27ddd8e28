"""Every row of SCALAR_MAPS: a bijection with its log-det, and what it refuses."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import tensorflow as tf

from bijectors.base import forward_and_log_det, inverse_and_log_det
from bijectors.scalar.maps import ScalarMap
from bijectors.tables import SCALAR_MAPS
from tests.bijectors.scalar.maps import (
    BATCH,
    PAGE,
    build,
    draw,
    every_map,
    file_of_the_page,
    map_of,
)
from tests.modes import MODES, every_mode, mostly_eager


@every_map
@every_mode
@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 1e-4), (np.float64, 1e-11)])
def test_round_trip(name: str, mode: str, dtype: type, tolerance: float) -> None:
    raw, eps = draw(name, dtype)

    @MODES[mode]
    def there_and_back(raw: tf.Tensor, eps: tf.Tensor) -> list[tf.Tensor]:
        bijector = build(name, raw)
        # A bijector's cache would answer the inverse with the argument of forward.
        z = bijector.forward(eps)
        return [z, build(name, tf.identity(raw)).inverse(tf.identity(z))]

    z, back = there_and_back(raw, eps)
    assert z.dtype == dtype
    assert np.abs(z - eps).max() > 0.1
    np.testing.assert_allclose(back, eps, rtol=tolerance, atol=tolerance)


@every_map
@every_mode
def test_log_dets_equal_autodiff(name: str, mode: str) -> None:
    raw, eps = draw(name)

    @MODES[mode]
    def evaluate(raw: tf.Tensor, value: tf.Tensor) -> list[tf.Tensor]:
        results = []
        for function in (forward_and_log_det, inverse_and_log_det):
            with tf.GradientTape() as tape:
                tape.watch(value)
                mapped, log_det = function(build(name, raw), value, 1)
            # The map is elementwise: its Jacobian is diagonal.
            autodiff = tf.math.log(tape.gradient(mapped, value))
            results += [log_det, tf.reduce_sum(autodiff, axis=-1)]
        return results

    forward, forward_autodiff, inverse, inverse_autodiff = evaluate(raw, eps)
    assert forward.shape == (BATCH,)
    np.testing.assert_allclose(forward, forward_autodiff, atol=1e-9)
    np.testing.assert_allclose(inverse, inverse_autodiff, atol=1e-9)


@every_map
def test_increasing_and_elementwise(name: str) -> None:
    raw, _ = draw(name)
    eps = tf.constant(np.linspace(-8, 8, 400)[:, None, None])
    z = build(name, raw).forward(eps).numpy()
    assert (np.diff(z, axis=0) > 0).all()


@pytest.mark.parametrize("name", [*(n for n in SCALAR_MAPS if n != "mixture"), "mixture:1", PAGE])
def test_raw_zero_is_the_identity(name: str) -> None:
    raw, eps = draw(name)
    z, log_det = forward_and_log_det(build(name, tf.zeros_like(raw)), eps, 0)
    np.testing.assert_allclose(z, eps, atol=1e-12)
    np.testing.assert_allclose(log_det, np.zeros_like(eps), atol=1e-12)


@every_map
@mostly_eager
def test_every_raw_parameter_gets_a_gradient(name: str, mode: str) -> None:
    raw, eps = draw(name)

    @MODES[mode]
    def gradients(raw: tf.Tensor, value: tf.Tensor) -> list[tf.Tensor]:
        results = []
        for function in (forward_and_log_det, inverse_and_log_det):
            with tf.GradientTape() as tape:
                tape.watch(raw)
                mapped, log_det = function(build(name, raw), value, 0)
                loss = tf.reduce_sum(mapped**2 + log_det)
            results.append(tape.gradient(loss, raw))
        return results

    for gradient in gradients(raw, eps):
        assert np.isfinite(gradient).all()
        assert (np.abs(gradient).max(axis=(0, 1)) > 0).all()


@every_map
def test_large_raw_parameters_make_a_map_with_a_finite_slope(name: str) -> None:
    raw, _ = draw(name, np.float32)
    raw *= 1e4
    with tf.GradientTape() as tape:
        tape.watch(raw)
        flow, values = build(name, raw), tf.constant([[-1.0], [0.0], [2.0]])[..., None]
        z, log_det = forward_and_log_det(flow, values, 0)
        _, density_log_det = inverse_and_log_det(flow, values, 0)
        loss = tf.reduce_sum(z) + tf.reduce_sum(log_det + density_log_det)
    assert np.isfinite(z).all() and np.isfinite(log_det).all()
    assert np.isfinite(tape.gradient(loss, raw)).all()


@pytest.mark.parametrize("name", SCALAR_MAPS)  # The page's function belongs to no module.
def test_a_map_can_be_pickled(name: str) -> None:
    raw, eps = draw(name)
    again = pickle.loads(pickle.dumps(map_of(name)))
    np.testing.assert_array_equal(
        again.from_unconstrained(raw).forward(eps), build(name, raw).forward(eps)
    )


@every_map
@pytest.mark.parametrize("shape", [(), (1,), (3, 40)])
def test_wrong_shapes_are_refused(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected unconstrained parameters of shape \[..., \d+"):
        build(name, tf.zeros(shape))


@every_map
@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.int32])
def test_wrong_dtypes_are_refused(name: str, dtype: tf.DType) -> None:
    raw = tf.zeros([map_of(name).num_params], dtype)
    with pytest.raises(ValueError, match=f"float32 or float64; got {dtype.name}"):
        build(name, raw)


def test_the_file_of_the_page_has_lines_that_the_linter_allows() -> None:
    assert max(map(len, file_of_the_page().splitlines())) <= 100


def test_a_row_needs_a_scale_for_every_parameter() -> None:
    with pytest.raises(ValueError, match="expected 2 output scales; got 1"):
        ScalarMap(2, (1.0,), build)
