"""The mixture of logistics: its formula in both precisions, its inverse, and its derivatives."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors import SCALAR_MAPS, AutoregressiveHidden, ConditionalMADE, MixtureOfLogistics
from tests.modes import MODES, every_mode, mostly_eager

DTYPES = [np.float32, np.float64]
PARAMS = ("weights", "means", "scales", "a", "b")


def draw(n: int, k: int, dtype: type = np.float64, scale: float = 1.0) -> np.ndarray:
    return np.random.default_rng(k).normal(0, scale, (n, 3 * k + 2)).astype(dtype)


def noise(n: int, dtype: type = np.float64, scale: float = 1.5) -> np.ndarray:
    return np.random.default_rng(1).normal(0, scale, n).astype(dtype)


def constants(bijector: MixtureOfLogistics) -> list[np.ndarray]:
    return [
        np.asarray(getattr(bijector, name)) for name in ("weights", "means", "scales", "a", "b")
    ]


def formula(x: np.ndarray, weights, means, scales, a, b) -> tuple[np.ndarray, np.ndarray]:
    """`y` and the log-det, in NumPy's longest numbers."""
    x, w, m, s, a, b = (np.asarray(v, np.longdouble) for v in (x, weights, means, scales, a, b))
    u, log_w = (x[..., None] - m) / s, np.log(w / w.sum(-1, keepdims=True))
    left, right = (np.minimum(v, 0) - np.log1p(np.exp(-np.abs(v))) for v in (u, -u))

    def log_sum(terms: np.ndarray) -> np.ndarray:
        largest = terms.max(-1, keepdims=True)
        return np.log(np.exp(terms - largest).sum(-1)) + largest[..., 0]

    log_f, log_left = log_sum(log_w - np.log(s) + left + right), log_sum(log_w + left)
    log_right = log_sum(log_w + right)
    return b * (log_left - log_right + a), np.log(b) + log_f - log_left - log_right


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("k", [1, 2, 8])
@pytest.mark.parametrize("spread", [0.3, 3.0, 1e3])
@pytest.mark.parametrize("size", [3.0, 1e3, 1e6])
def test_it_is_the_formula_as_exactly_as_its_dtype(
    dtype: type, k: int, spread: float, size: float
) -> None:
    bijector = MixtureOfLogistics.from_unconstrained(draw(500, k, dtype, spread), k)
    x = noise(500, dtype, size)
    y, log_det = bijector.forward_and_log_det(x)
    assert y.dtype == log_det.dtype == dtype
    expected, expected_log_det = formula(x, *constants(bijector))
    a, b = constants(bijector)[-2:]
    error = 8 * np.finfo(dtype).eps
    assert (np.abs(y - expected) <= error * (b * (1 + np.abs(a)) + np.abs(expected))).all()
    # The reference subtracts logarithms as large as x.
    lost = 1e-18 * np.abs(x) * 20
    assert (
        np.abs(log_det - expected_log_det) <= error * (10 + np.abs(expected_log_det)) + lost
    ).all()


@every_mode
@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 1e-5), (np.float64, 1e-13)])
def test_there_and_back(dtype: type, tolerance: float, mode: str) -> None:
    raw, y = draw(20_000, 8, dtype), noise(20_000, dtype)
    solve = MODES[mode](lambda raw, y: MixtureOfLogistics.from_unconstrained(raw).inverse(y))
    x = solve(raw, y)
    assert x.dtype == dtype
    back = MixtureOfLogistics.from_unconstrained(raw).forward(x)
    np.testing.assert_allclose(back, y, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("spread", [1.0, 10.0])
def test_the_inverse_rises(spread: float) -> None:
    raw = draw(200, 8, np.float32, spread)[:, None]
    y = np.linspace(-30, 30, 1001, dtype=np.float32)
    x = MixtureOfLogistics.from_unconstrained(raw).inverse(y).numpy()
    assert (np.diff(x, axis=-1) > -1e-5 * (1 + np.abs(x[:, 1:]))).all()


@pytest.mark.parametrize("size", [1.0, 10.0, 1e2, 1e4])
def test_what_comes_back_has_the_same_noise(size: float) -> None:
    # Between two modes far apart F is one float32 for many x: one of them comes back.
    bijector = MixtureOfLogistics.from_unconstrained(draw(4_000, 8, np.float32, size))
    for spread in (1.0, size):
        y = bijector.forward(noise(4_000, np.float32, spread))
        np.testing.assert_allclose(bijector.forward(bijector.inverse(y)), y, rtol=1e-4, atol=1e-3)


def test_noise_is_not_lost_next_to_large_means() -> None:
    raw = draw(4_000, 8, np.float32, 1e4)
    bijector = MixtureOfLogistics.from_unconstrained(raw)
    terms = np.abs(bijector.a) + np.max(np.abs(bijector.means) / bijector.scales, axis=-1)
    assert np.max(bijector.b * terms) <= np.exp(9) * 1.001
    y = noise(4_000, np.float32)
    np.testing.assert_allclose(bijector.forward(bijector.inverse(y)), y, atol=1e-2)


def test_far_out_it_is_a_line() -> None:
    bijector = MixtureOfLogistics(
        weights=[1.0, 3.0], means=[-2.0, 1.0], scales=[0.5, 4.0], a=0.2, b=2.0
    )
    x = tf.constant([-np.inf, -1e15, -1e6, 1e6, 1e15, np.inf])
    y, log_det = bijector.forward_and_log_det(x)
    np.testing.assert_allclose(y, x * 2.0 / 4.0, rtol=1e-5)
    np.testing.assert_allclose(log_det, np.full(6, np.log(2.0 / 4.0)), rtol=1e-6)
    np.testing.assert_allclose(bijector.inverse(y), x, rtol=1e-5)


def test_between_two_modes_far_apart() -> None:
    # The density is exp(-1000) there: neither it nor F f32 could be a number of this size.
    bijector = MixtureOfLogistics(weights=[1.0, 3.0], means=[-100.0, 100.0], scales=[0.1, 0.1])
    x = tf.constant([-100.0, -3.0, 0.0, 3.0, 100.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y, log_det = bijector.forward_and_log_det(x)
    expected, expected_log_det = formula(x.numpy(), *constants(bijector))
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    np.testing.assert_allclose(log_det, expected_log_det, rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(log_det, x)[1:4:2], [-10.0, 10.0], rtol=1e-5)
    in_the_gap = bijector.inverse(tf.math.log(1 / 3))
    assert -99.5 < float(in_the_gap) < 99.5
    assert np.isfinite(bijector.inverse_log_det_jacobian(tf.math.log(1 / 3)))


def test_a_slope_at_the_middle_of_a_component() -> None:
    # |u| has no derivative where u = 0; the formula has.
    bijector = MixtureOfLogistics(weights=[1.0, 1.0], means=[0.0, 0.0], scales=[1.0, 2.0])
    x = tf.constant(0.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y, log_det = bijector.forward_and_log_det(x)
    assert float(tape.gradient(y, x)) == pytest.approx(0.75)
    assert float(log_det) == pytest.approx(np.log(0.75))


def test_from_unconstrained_is_the_formula() -> None:
    k = 3
    raw, x = draw(100, k), noise(100)
    w, m, s, (a, b) = raw[:, :k], raw[:, k : 2 * k], raw[:, 2 * k : 3 * k], raw[:, 3 * k :].T
    weights = np.exp(w) / np.exp(w).sum(-1, keepdims=True)
    values = (weights, m + [-2, 0, 2], np.exp(3 * np.tanh(s / 3)), a, np.exp(b))
    expected = formula(x, *values)
    for bijector in (
        MixtureOfLogistics.from_unconstrained(raw, k),
        MixtureOfLogistics(*values, validate_args=True),
    ):
        for got, wanted in zip(bijector.forward_and_log_det(x), expected, strict=True):
            np.testing.assert_allclose(got, wanted.astype(float), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("k", [2, 8, 20])
def test_raw_zero_is_near_a_line(k: int) -> None:
    bijector = MixtureOfLogistics.from_unconstrained(tf.zeros([3 * k + 2], tf.float64), k)
    x = np.linspace(-4, 4, 81)
    y, log_det = bijector.forward_and_log_det(x)
    np.testing.assert_allclose(y, -y[::-1], atol=1e-12)
    slope = np.exp(log_det)
    assert slope.min() > 0.4 and slope.max() < 1.0


@mostly_eager
def test_inverse_gradients_equal_finite_differences(mode: str) -> None:
    raw, y = draw(300, 3, scale=0.7), noise(300)
    values = np.concatenate([raw, y[:, None]], axis=-1)

    def answers(values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        bijector = MixtureOfLogistics.from_unconstrained(values[..., :-1], 3)
        return bijector.inverse_and_log_det(values[..., -1])

    @MODES[mode]
    def gradients(values: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(values)
            x, log_det = answers(values)
        return [tape.gradient(answer, values) for answer in (x, log_det)]

    h, size = 1e-4, values.shape[-1]
    steps = h * np.array([-2, -1, 1, 2])[:, None, None, None] * np.eye(size)[:, None]
    for got, moved in zip(gradients(tf.constant(values)), answers(values + steps), strict=True):
        difference = (8 * (moved[2] - moved[1]) - (moved[3] - moved[0])) / (12 * h)
        np.testing.assert_allclose(got, tf.transpose(difference), rtol=1e-6, atol=1e-6)


def test_second_derivative_of_the_inverse() -> None:
    raw, y = draw(200, 3), tf.constant(noise(200))
    bijector = MixtureOfLogistics.from_unconstrained(raw, 3)
    with tf.GradientTape() as outer:
        outer.watch(y)
        with tf.GradientTape() as inner:
            inner.watch(y)
            x = bijector.inverse(y)
        first = inner.gradient(x, y)
    with tf.GradientTape() as tape:
        x = tf.constant(x)
        tape.watch(x)
        _, log_det = bijector.forward_and_log_det(x)
    # x' = 1 / f', x'' = -f'' / f'^3 = -(log f')' / f'^2
    expected = -tape.gradient(log_det, x) * np.exp(-2 * log_det)
    np.testing.assert_allclose(outer.gradient(first, y), expected, rtol=1e-8, atol=1e-10)


def test_log_det_of_a_vector_is_that_of_its_jacobian(float64: None) -> None:
    mixture = SCALAR_MAPS["mixture:3"]
    made = ConditionalMADE(4, mixture.num_params, 2, (8, 8), output_scale=mixture.output_scale)
    for variable in made.trainable_variables:
        variable.assign(np.random.default_rng(0).normal(0, 0.5, variable.shape))
    context = tf.constant(np.random.default_rng(1).normal(size=(5, 2)))
    flow = AutoregressiveHidden(made, mixture.from_unconstrained, context)
    values = tf.constant(noise(20).reshape(5, 4))
    for direction in (flow.forward_and_log_det, flow.inverse_and_log_det):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(values)
            mapped, log_det = direction(values)
            rows = tf.unstack(mapped, axis=-1)
        jacobian = np.stack([tape.gradient(row, values) for row in rows], axis=1)
        np.testing.assert_allclose(log_det, np.linalg.slogdet(jacobian)[1], atol=1e-10)
    np.testing.assert_allclose(flow.inverse(flow.forward(values)), values, atol=1e-10)


def test_shapes_that_a_graph_does_not_know() -> None:
    raw, y = draw(12, 2), noise(12)

    @tf.function(
        autograph=False,
        input_signature=[
            tf.TensorSpec([None, None, 8], tf.float64),
            tf.TensorSpec(None, tf.float64),
        ],
    )
    def evaluate(raw: tf.Tensor, y: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch((raw, y))
            bijector = MixtureOfLogistics.from_unconstrained(raw, 2)
            x, log_det = bijector.inverse_and_log_det(y)
        return [x, log_det, bijector.forward(x), *tape.gradient((x, log_det), (raw, y))]

    x, log_det, back, by_raw, by_y = evaluate(raw.reshape(3, 4, 8), y[:4])
    assert x.shape == log_det.shape == (3, 4)
    np.testing.assert_allclose(back, np.broadcast_to(y[:4], (3, 4)), atol=1e-12)
    assert by_raw.shape == (3, 4, 8) and by_y.shape == (4,)


def test_parameters_broadcast_and_have_a_batch() -> None:
    bijector = MixtureOfLogistics(
        weights=[0.3, 0.7], means=tf.zeros([4, 1, 2]), scales=tf.ones([3, 2]), a=0.1, b=tf.ones([3])
    )
    assert bijector.experimental_batch_shape() == (4, 3)
    for method in (bijector.forward_and_log_det, bijector.inverse_and_log_det):
        value, log_det = method(0.3)
        assert value.shape == log_det.shape == (4, 3)
    copy = bijector.copy(b=2.0, name="another")
    np.testing.assert_allclose(copy.forward(0.3), 2 * bijector.forward(0.3), rtol=1e-6)
    assert copy.name == "another" and set(copy.parameters) == set(bijector.parameters)


def test_a_distribution_of_several_modes() -> None:
    flow = tfp.bijectors.Invert(
        MixtureOfLogistics(weights=[1.0, 2.0], means=[-5.0, 5.0], scales=[0.3, 0.3])
    )
    latent = tfp.distributions.TransformedDistribution(tfp.distributions.Logistic(0.0, 1.0), flow)
    z = latent.sample(20_000, seed=[0, 1])
    # The logit of F maps the mixture to a logistic: this distribution is the mixture.
    assert float(tf.reduce_mean(tf.cast(z > 0, tf.float32))) == pytest.approx(2 / 3, abs=0.01)
    mixture = tfp.distributions.MixtureSameFamily(
        tfp.distributions.Categorical(probs=[1 / 3, 2 / 3]),
        tfp.distributions.Logistic([-5.0, 5.0], 0.3),
    )
    np.testing.assert_allclose(latent.log_prob(z), mixture.log_prob(z), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(latent.cdf(z), mixture.cdf(z), atol=1e-6)


GOOD = {"weights": [0.5, 0.5], "means": [0.0, 1.0], "scales": [1.0, 2.0], "a": 0.0, "b": 1.0}


@pytest.mark.parametrize(
    "change, message",
    [
        ({"weights": [0.5, -0.5]}, "expected weights > 0; got -0.5"),
        ({"scales": [0.0, 1.0]}, "expected scales > 0; got 0.0"),
        ({"b": -1.0}, "expected b > 0; got -1.0"),
        ({"means": [0.0, 1.0, 2.0]}, r"of shapes \[..., K\]; got \(2,\), \(3,\), \(2,\)"),
        ({"means": 0.0}, r"of shapes \[..., K\]; got \(2,\), \(\), \(2,\)"),
        ({"a": np.float16(1.0)}, "expected a of dtype float32 or float64; got float16"),
    ],
)
def test_wrong_parameters_are_refused(change: dict, message: str) -> None:
    MixtureOfLogistics(**GOOD, validate_args=True)
    with pytest.raises(ValueError, match=message):
        MixtureOfLogistics(**{**GOOD, **change}, validate_args=True)


def test_a_wrong_number_of_components_is_refused() -> None:
    with pytest.raises(ValueError, match="expected num_components >= 1; got 0"):
        MixtureOfLogistics.from_unconstrained(tf.zeros([2]), 0)
    with pytest.raises(ValueError, match=r"parameters of shape \[..., 26\]; got \(8,\)"):
        MixtureOfLogistics.from_unconstrained(tf.zeros([8]))
