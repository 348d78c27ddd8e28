"""The flow prior of every row: ragged batches, TFP, compilation, sampling."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.masks import mask_steps
from tests.models import draw_x, make_model, rows
from tests.priors import LENGTHS, H, T, draw, make_prior
from tf_latentflow import MODEL_NAMES, FlowPrior, ModelConfig
from tf_latentflow.noise import noise_of

ROWS = tuple(name for name in MODEL_NAMES if name != "lstm")
every_row = pytest.mark.parametrize("name", rows(ROWS))


@pytest.mark.nightly
@every_row
def test_beyond_the_length_nothing_matters(float64: None, name: str) -> None:
    prior = make_prior(name)
    values = draw(3, T, H).numpy()
    beyond = (np.arange(T)[None, :] >= np.array(LENGTHS)[:, None])[..., None]
    garbage = np.resize([np.nan, 1e30, -np.inf], values.shape)

    @tf.function(autograph=False)
    def evaluate(values: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(values)
            z, forward = prior.forward_and_log_det(values, LENGTHS)
            eps, inverse = prior.inverse_and_log_det(values, LENGTHS)
            log_prob = prior.log_prob(values, LENGTHS)
            loss = tf.reduce_sum(forward + inverse + log_prob)
        sources = [values, *(v.value for v in prior.trainable_variables)]
        gradients = tape.gradient(loss, sources, unconnected_gradients="zero")
        within = [tf.where(beyond, tf.zeros_like(v), v) for v in (z, eps)]
        return [*within, forward, inverse, log_prob, *map(tf.convert_to_tensor, gradients)]

    clean = evaluate(tf.constant(values))
    soiled = evaluate(tf.constant(np.where(beyond, garbage, values)))
    for a, b in zip(clean, soiled, strict=True):
        assert np.all(np.isfinite(a)) and np.all(np.isfinite(b))
        # Sums over threads need not repeat to the last bit.
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@every_row
def test_padding_changes_nothing(float64: None, name: str) -> None:
    prior = make_prior(name)
    values = draw(3, T, H)
    longer = tf.pad(values, [[0, 0], [0, 3], [0, 0]])
    for function in (prior.forward_and_log_det, prior.inverse_and_log_det):
        short, short_log_det = function(values, LENGTHS)
        long, long_log_det = function(longer, LENGTHS)
        np.testing.assert_allclose(short, long[:, :T], atol=1e-12)
        np.testing.assert_allclose(short_log_det, long_log_det, atol=1e-12)


@every_row
def test_is_a_citizen_of_tfp(float64: None, name: str) -> None:
    prior = make_prior(name)
    bijector = prior.bijector((T,))
    base = tfp.distributions.Independent(
        tfp.distributions.Normal(tf.zeros([T, H], tf.float64), tf.ones([], tf.float64)), 2
    )
    distribution = tfp.distributions.TransformedDistribution(base, bijector)
    z = distribution.sample(2, seed=[1, 2])
    assert z.shape == (2, 1, T, H)  # The batch is that of the lengths.
    np.testing.assert_allclose(distribution.log_prob(z), prior.log_prob(z, (T,)), atol=1e-9)
    inverted = tfp.bijectors.Invert(bijector)
    np.testing.assert_array_equal(inverted.forward(z), bijector.inverse(z))
    np.testing.assert_allclose(
        bijector.inverse_log_det_jacobian(z, event_ndims=2),
        inverted.forward_log_det_jacobian(z, event_ndims=2),
    )
    assert bijector.forward_min_event_ndims == 2
    with pytest.raises(ValueError):
        bijector.inverse_log_det_jacobian(z, event_ndims=1)


@pytest.mark.parametrize("jit_compile", [pytest.param(False, marks=pytest.mark.nightly), True])
@pytest.mark.parametrize("name", rows(["af-af", "codebook"]))
def test_compiled_equals_eager(float64: None, name: str, jit_compile: bool) -> None:
    prior = make_prior(name)
    values = draw(3, T, H)
    for function in (prior.forward_and_log_det, prior.inverse_and_log_det):
        compiled = tf.function(
            lambda v, f=function: f(v, LENGTHS), jit_compile=jit_compile, autograph=False
        )
        for a, b in zip(compiled(values), function(values, LENGTHS), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-10)


def test_lengths_may_have_64_bits(float64: None) -> None:
    prior, z = make_prior("af-scf"), draw(3, T, H)
    lengths = tf.constant(LENGTHS, tf.int64)
    np.testing.assert_array_equal(prior.log_prob(z, lengths), prior.log_prob(z, LENGTHS))


def test_sampling_follows_the_temperature(float64: None) -> None:
    prior = make_prior("af-scf")
    z = prior.sample(LENGTHS, seed=[3, 4])
    assert z.shape == (3, T, H)
    assert not np.any(z[1, 2:]) and not np.any(z[2])
    np.testing.assert_array_equal(z, prior.sample(LENGTHS, seed=[3, 4]))
    assert np.any(z != prior.sample(LENGTHS))
    cold = prior.sample(LENGTHS, temperature=0.0, seed=[3, 4])
    np.testing.assert_array_equal(cold, prior.sample(LENGTHS, temperature=0.0, seed=[5, 6]))


@pytest.mark.parametrize(
    "fields",
    [
        {"time": "af", "conditioner": "lstm", "time_layers": 2},
        {"time": "af", "conditioner": "attention:1"},
        {"time": "af", "conditioner": "conv:1"},
        {"time": "iaf", "time_layers": 2},
        {"time": "none", "conditioner": None},
    ],
)
@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_window_is_redrawn_given_what_is_before_it(
    float64: None, fields: dict[str, object], jit_compile: bool
) -> None:
    prior = make_prior("af-scf", scalar="affine", flow_layers=1, **fields)
    lengths = tf.constant([5, 3])
    z, eps = mask_steps(draw(2, 5, H), lengths), draw(4, 2, 5, H, seed=2)
    redraw = tf.function(prior.redraw, jit_compile=jit_compile, autograph=False)
    found = redraw(eps, z, lengths, tf.constant(1), tf.constant(4))
    inside = (np.arange(5) >= 1) & (np.arange(5) < 4)
    whole = tf.where(inside[:, None], eps, prior.inverse_and_log_det(z, lengths)[0])
    expected, _ = prior.forward_and_log_det(mask_steps(whole, lengths), lengths)
    np.testing.assert_allclose(found, np.where(inside[:, None], expected, z), atol=1e-10)


@pytest.mark.parametrize("time", ["coupling", "multiscale"])
def test_what_needs_a_causal_prior_says_so(time: str) -> None:
    fields = {"time": time, "time_layers": 2, "conditioner": "window:2", "hidden": "none"}
    prior, z = make_prior("af-scf", scalar="affine", flow_layers=1, **fields), draw(3, T, H)
    model = make_model("af-scf", scalar="affine", flow_layers=1, **fields)
    x, lengths = draw_x(), np.array([2, 2, 2])
    for needs_it in (
        lambda: prior.redraw(z, z, LENGTHS, 0, 1),
        lambda: prior.step_bijector(z, LENGTHS, [0]),
        lambda: model.fill_in(x, lengths, x > 3),
        lambda: model.complete(x, lengths),
    ):
        with pytest.raises(ValueError, match=f"each step depends on earlier ones .*'{time}'"):
            needs_it()


@pytest.mark.parametrize("name, number, num_used", [("af-scf", 0, 4), ("multiscale", 1, 2)])
def test_positions_beyond_the_limit_count_as_the_last_of_it(
    float64: None, name: str, number: int, num_used: int
) -> None:
    limit = tf.Variable(4)
    fields = {"conditioner": "window:2", "scalar": "affine", "hidden": "none"}
    config = ModelConfig.from_name(name, "tiny", max_length=8, latent_size=H, **fields)
    prior, z = FlowPrior(config, lambda: limit), draw(1, 8, H)
    stage = prior.stages[number]  # Of every step, or of every other one.
    before = prior.log_prob(z, [8])
    for table in stage.tables:
        for rows_of in (table.start, table.end):
            rows_of.assign(tf.concat([rows_of[:num_used], rows_of[num_used:] + 1], axis=0))
    np.testing.assert_array_equal(prior.log_prob(z, [8]), before)
    limit.assign(8)
    assert np.all(prior.log_prob(z, [8]) != before)


def test_every_stage_drops_other_units() -> None:
    prior = make_prior("af-scf", time_layers=2, dropout=0.5)
    first, second = (
        bijector._conditioner.covariates([3], 8)[1][0]
        for bijector in prior._bijectors(tf.constant([8, 8, 8]), noise_of([1, 2], 3))
    )
    assert 0.3 < np.mean(first != second) < 0.7


def test_a_sample_has_as_many_steps_as_asked() -> None:
    prior = make_prior("af-scf")
    padded = prior.sample(LENGTHS, seed=[3, 4], num_steps=5)
    assert padded.shape == (3, 5, H)
    np.testing.assert_allclose(padded[:, :T], prior.sample(LENGTHS, seed=[3, 4]), atol=1e-6)
