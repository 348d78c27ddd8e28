"""The flow prior of every choice: structure, log-det, round trip, ragged batches, TFP."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.masks import mask_steps
from bijectors.tables import (
    CAUSAL_TIME_STRUCTURES,
    HIDDEN_STRUCTURES,
    SCALAR_MAPS,
    TIME_STRUCTURES,
)
from tests.models import LEAST_TIME_LAYERS, rows
from tests.pairwise import Combination, combinations, few, parameters
from tf_latentflow import MODEL_NAMES, FlowPrior, ModelConfig
from tf_latentflow.config.choices import CONDITIONER_INPUTS, CONDITIONERS
from tf_latentflow.networks.codebook import SymbolCodebook
from tf_latentflow.networks.normal import standard_normal_log_prob

T, H = 3, 3
LENGTHS = (3, 2, 0)
ROWS = tuple(name for name in MODEL_NAMES if name != "lstm")
every_row = pytest.mark.parametrize("name", rows(ROWS))
CHOICES = {
    "scalar": few(SCALAR_MAPS),
    "hidden": tuple(HIDDEN_STRUCTURES),
    "time": tuple(TIME_STRUCTURES),
    "conditioner": (*few(CONDITIONERS), None),
    "conditioner_input": tuple(CONDITIONER_INPUTS),
}


def fields(combination: Combination) -> dict[str, object]:
    choices = dict(zip(CHOICES, combination, strict=True))
    if choices["conditioner_input"] == "symbols":
        choices["inference"] = "codebook"  # Of the symbols that are read.
    return {**choices, "flow_layers": 1, "time_layers": LEAST_TIME_LAYERS.get(choices["time"], 1)}


every_choice = pytest.mark.parametrize("combination", parameters(combinations(CHOICES, fields)))


def make_prior(name: str, **overrides: object) -> FlowPrior:
    sizes = {"max_length": 8, "latent_size": H, "num_lstm_layers": 1, **overrides}
    config = ModelConfig.from_name(name, "tiny", **sizes)
    codebook = None
    if config.conditioner_input == "symbols":
        codebook = SymbolCodebook(config.vocab_size, config.latent_size)
        # So wide that the symbols of a vector far out are not certain: derivatives would underflow.
        codebook._log_std.assign(tf.fill(codebook._log_std.shape, tf.cast(2.0, codebook.dtype)))
    prior = FlowPrior(config, codebook=codebook)
    rng = np.random.default_rng(0)
    for variable in prior.trainable_variables:  # far from the identity
        variable.assign_add(rng.normal(0, 0.3, variable.shape))
    return prior


def draw(*shape: int, seed: int = 1) -> tf.Tensor:
    return tf.constant(np.random.default_rng(seed).normal(size=shape))


def jacobian(function, values: tf.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The Jacobian `[B, T*H, T*H]` of the first result of `function`, and its second.

    Each sequence stands in the batch once for every output: one backward pass gives all rows.
    """
    copies = tf.tile(values[:, None], [1, T * H, 1, 1])
    with tf.GradientTape() as tape:
        tape.watch(copies)
        outputs, log_det = function(copies)
        diagonal = tf.linalg.diag_part(tf.reshape(outputs, [-1, T * H, T * H]))
    rows = tape.gradient(diagonal, copies)
    return tf.reshape(rows, [-1, T * H, T * H]).numpy(), log_det[:, 0].numpy()


def flat(function, values: tf.Tensor, lengths: np.ndarray) -> tuple[tf.Tensor, tf.Tensor]:
    """`function` with all leading dimensions of `values` and `lengths` as one batch."""
    shape = values.shape
    mapped, log_det = function(tf.reshape(values, [-1, T, H]), lengths.ravel())
    return tf.reshape(mapped, shape), tf.reshape(log_det, shape[:-2])


def allowed(config: ModelConfig, inverse: bool) -> np.ndarray:
    """bool `[T, H, T, H]`: may output (t, i) depend on input (s, j)?

    One layer within a step: dimensions depend on earlier ones (`af`), the second half on the first
    (`scf`), or on none. Across steps a flow is triangular, `none` diagonal. Of two couplings the
    steps that the first one moves see the others, and those that the second one moves see all. At
    many scales an odd step sees the even ones: forward, through these, all that they see.
    """
    t, i, s, j = np.ogrid[:T, :H, :T, :H]
    hidden = {"af": j < i, "scf": (j < H // 2) & (i >= H // 2), "none": j < 0}
    assert config.hidden in hidden, f"say here what depends on what in {config.hidden} of a step"
    earlier = hidden[config.hidden]
    within = (s == t) & ((i == j) | earlier)
    anything = (i >= 0) & (j >= 0)
    if config.time == "none":
        return within
    if config.time == "coupling":
        # Forward, the last stage acts first: it keeps the odd steps, and the even ones come last.
        first, last = (t % 2 == 0, t % 2 == 1) if not inverse else (t % 2 == 1, t % 2 == 0)
        return within | (first & (s % 2 != t % 2) & anything) | (last & anything)
    if config.time == "multiscale":  # Of two scales: the even steps are independent.
        return within | ((t % 2 == 1) & (s % 2 == 0) & anything)
    assert config.time in ("af", "iaf"), f"say here what depends on what in {config.time}"
    return within | ((s < t) & anything)


@every_choice
def test_jacobian_and_round_trip(float64: None, combination: Combination) -> None:
    prior = make_prior("af-af", **fields(combination))
    values, identity = draw(3, T, H), np.eye(T * H).reshape(T, H, T, H)
    repeated = np.tile(np.array(LENGTHS)[:, None], [1, T * H])
    for inverse, function in enumerate((prior.forward_and_log_det, prior.inverse_and_log_det)):
        may = allowed(prior.config, bool(inverse))
        if prior.config.is_causal:
            assert not np.any(np.triu(may.any(axis=(1, 3)), 1)), "a step depends on later ones"
        matrices, log_dets = jacobian(lambda v, f=function: flat(f, v, repeated), values)
        for length, matrix, log_det in zip(LENGTHS, matrices, log_dets, strict=True):
            sign, slogdet = np.linalg.slogdet(matrix)
            assert sign != 0
            np.testing.assert_allclose(log_det, slogdet, atol=1e-8)
            if length == 0:
                assert log_det == 0.0
            matrix = matrix.reshape(T, H, T, H)
            inside = np.arange(T) < length
            both = inside[:, None, None, None] & inside[None, None, :, None]
            assert np.all(matrix[~may & both] == 0)
            # Beyond the length every step is mapped to itself and seen by no other.
            np.testing.assert_array_equal(
                matrix[~np.broadcast_to(both, matrix.shape)],
                identity[~np.broadcast_to(both, matrix.shape)],
            )
            for t, s in np.ndindex(length, length):
                depends = np.any(matrix[t, :, s, :] != 0)
                assert depends == np.any(may[t, :, s, :]), (t, s)

    values = draw(2, 3, T, H)  # a sample dimension in front
    z, forward = prior.forward_and_log_det(values, LENGTHS)
    eps, inverse = prior.inverse_and_log_det(z, LENGTHS)
    assert np.abs(z - values).max() > 0.1
    np.testing.assert_allclose(eps, values, atol=1e-8)
    np.testing.assert_allclose(forward, -inverse, atol=1e-8)


@pytest.mark.parametrize(
    "time, time_layers",
    [*((time, LEAST_TIME_LAYERS.get(time, 1)) for time in CAUSAL_TIME_STRUCTURES), ("af", 2)],
)
def test_the_maps_of_selected_steps_have_their_densities(
    float64: None, time: str, time_layers: int
) -> None:
    prior = make_prior("af-scf", time=time, time_layers=time_layers)
    z, lengths, steps = draw(2, T + 1, H), tf.constant([T + 1, T]), [2, 0]
    _, expected = prior.step_log_probs(z, lengths)
    bijector = prior.step_bijector(z, lengths, steps)
    eps, log_det = bijector.inverse_and_log_det(tf.gather(z, steps, axis=-2))
    found = log_det + tf.reduce_sum(standard_normal_log_prob(eps), axis=-1)
    np.testing.assert_allclose(found, tf.gather(expected, steps, axis=-1), atol=1e-10)


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
