"""Every row of SCALAR_MAPS: a bijection, with its log-det, and a citizen of TFP."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.base import forward_and_log_det, inverse_and_log_det
from bijectors.scalar.affine import Affine
from bijectors.scalar.maps import ScalarMap
from bijectors.scalar.spline import rational_quadratic_spline
from bijectors.tables import SCALAR_MAPS
from tests.modes import MODES, every_mode, mostly_eager

tfb, tfd = tfp.bijectors, tfp.distributions

BATCH, EVENT = 7, 4
every_map = pytest.mark.parametrize("name", SCALAR_MAPS)


def draw(name: str, dtype: type = np.float64) -> tuple[tf.Tensor, tf.Tensor]:
    """Raw parameters `[BATCH, EVENT, P]` and noise `[BATCH, EVENT]`."""
    rng = np.random.default_rng(0)
    raw = rng.normal(0, 1, (BATCH, EVENT, SCALAR_MAPS[name].num_params)).astype(dtype)
    eps = rng.normal(0, 2, (BATCH, EVENT)).astype(dtype)
    return tf.constant(raw), tf.constant(eps)


def build(name: str, raw: tf.Tensor) -> tfb.Bijector:
    return SCALAR_MAPS[name].from_unconstrained(raw)


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


def test_value_and_log_det_of_an_inverted_map_are_one_evaluation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    evaluations = []
    for direction in ("_forward_and_log_det", "_inverse_and_log_det"):
        primitive = getattr(Affine, direction)

        def counted(self, values, primitive=primitive, direction=direction):
            evaluations.append(direction)
            return primitive(self, values)

        monkeypatch.setattr(Affine, direction, counted)
    raw, eps = draw("affine")
    forward_and_log_det(build("affine", raw), eps, 1)
    inverse_and_log_det(build("affine", raw), eps, 1)
    assert evaluations == ["_inverse_and_log_det", "_forward_and_log_det"]


@every_map
def test_increasing_and_elementwise(name: str) -> None:
    raw, _ = draw(name)
    eps = tf.constant(np.linspace(-8, 8, 400)[:, None, None])
    z = build(name, raw).forward(eps).numpy()
    assert (np.diff(z, axis=0) > 0).all()


@pytest.mark.parametrize("name", [*(n for n in SCALAR_MAPS if n != "mixture"), "mixture:1"])
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


@every_map
@pytest.mark.parametrize("variable", [False, True])
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


@every_map
@pytest.mark.parametrize("shape", [(), (1,), (3, 40)])
def test_wrong_shapes_are_refused(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected unconstrained parameters of shape \[..., \d+"):
        build(name, tf.zeros(shape))


@every_map
@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.int32])
def test_wrong_dtypes_are_refused(name: str, dtype: tf.DType) -> None:
    raw = tf.zeros([SCALAR_MAPS[name].num_params], dtype)
    with pytest.raises(ValueError, match=f"float32 or float64; got {dtype.name}"):
        build(name, raw)


def test_a_row_needs_a_scale_for_every_parameter() -> None:
    with pytest.raises(ValueError, match="expected 2 output scales; got 1"):
        ScalarMap(2, (1.0,), build)


def test_affine_is_the_formula() -> None:
    raw, eps = draw("affine")
    for bijector in (
        Affine.from_unconstrained(raw),
        Affine(a=raw[..., 0], b=tf.exp(raw[..., 1]), validate_args=True),
    ):
        y, log_det = bijector.forward_and_log_det(eps)
        np.testing.assert_allclose(y, raw[..., 0] + np.exp(raw[..., 1]) * eps, rtol=1e-12)
        np.testing.assert_allclose(log_det, raw[..., 1], atol=1e-12)
    with pytest.raises(ValueError, match=r"expected b > 0; got -2.0"):
        Affine(a=0.0, b=[1.0, -2.0], validate_args=True)


def test_affine_log_det_has_the_shape_of_the_value() -> None:
    affine = Affine(a=tf.zeros([3]), b=2.0)
    for method in (affine.forward_and_log_det, affine.inverse_and_log_det):
        value, log_det = method(tf.ones([5, 1]))
        assert value.shape == log_det.shape == (5, 3)


def test_spline_is_the_identity_outside_its_interval() -> None:
    raw, _ = draw("spline")
    spline = rational_quadratic_spline(raw, interval=(-2.0, 2.0))
    x = tf.constant([[-5.0], [-2.0], [2.0], [3.0]], tf.float64)[:, None]
    np.testing.assert_allclose(spline.forward(x), np.broadcast_to(x, (4, BATCH, EVENT)))
    with pytest.raises(ValueError, match="expected num_bins >= 2; got 1"):
        rational_quadratic_spline(raw, num_bins=1)
    with pytest.raises(ValueError, match="expected an interval longer than .* 0.08; got"):
        rational_quadratic_spline(raw, interval=(1.0, 1.0))
