"""The codebook: its densities, and Bayes' rule of them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors import Execution
from tests.models import make_model
from tests.quadrature import log_prob_by_quadrature
from tf_latentflow import ModelConfig
from tf_latentflow.networks.codebook import NoteCodebook, SymbolCodebook
from tf_latentflow.prior.readers import symbols

tfd = tfp.distributions


def make_codebook() -> SymbolCodebook:
    codebook = SymbolCodebook(5, 3)
    rng = np.random.default_rng(0)
    for variable in codebook.trainable_variables:
        variable.assign_add(rng.normal(0, 0.5, variable.shape))
    return codebook


def test_densities_are_those_of_normal_distributions(float64: None) -> None:
    codebook, z = make_codebook(), np.random.default_rng(1).normal(size=(2, 4, 3))
    codebook.execution = Execution(products="bfloat16")  # Which rounds none of its products.
    normal = tfd.MultivariateNormalDiag(codebook.mean, tf.exp(codebook.log_std))
    np.testing.assert_allclose(codebook.logits(z), normal.log_prob(z[..., None, :]), rtol=1e-9)
    mean, log_std = codebook.of_symbols(tf.constant([[4, 0]]))
    np.testing.assert_array_equal(mean[0], tf.gather(codebook.mean, [4, 0]))
    np.testing.assert_array_equal(log_std[0], tf.gather(codebook.log_std, [4, 0]))


def test_notes_start_apart_and_narrow() -> None:
    codebook = NoteCodebook(3)
    np.testing.assert_array_equal(codebook.mean, [[-1] * 3, [1] * 3])
    for log_std in (codebook.log_std, SymbolCodebook(4, 3).log_std):
        np.testing.assert_array_equal(log_std, np.full_like(log_std, -1.5))


def test_float32_holds_the_narrowest_distributions() -> None:
    codebook = make_codebook()
    codebook._log_std.assign(np.full([5, 3], -9.0))
    z = codebook.mean + 0.5 * tf.exp(codebook.log_std)
    found = tf.linalg.diag_part(codebook.logits(z)).numpy()
    expected = 3 * (5 - 0.125 - 0.5 * np.log(2 * np.pi))
    np.testing.assert_allclose(found, expected, atol=0.1)


def test_the_emitter_is_bayes_rule(float64: None) -> None:
    model = make_model("codebook", spread=0.3)
    z = np.random.default_rng(1).normal(size=(1, 4, model.config.latent_size))
    model.emitter.log_weight.assign(np.log([0.1, 0.3, 0.2, 0.1, 0.2, 0.1]))
    posterior = tf.nn.softmax(model.logits(z, tf.constant([4])))
    normal = tfd.MultivariateNormalDiag(model.codebook.mean, tf.exp(model.codebook.log_std))
    joint = normal.prob(z[..., None, :]) * np.array([0.1, 0.3, 0.2, 0.1, 0.2, 0.1])
    np.testing.assert_allclose(posterior, joint / tf.reduce_sum(joint, -1, keepdims=True))
    assert not hasattr(model.symbols, "embedding")


def test_the_prior_reads_symbols_by_bayes_rule(float64: None) -> None:
    model = make_model("codebook", spread=0.3)
    assert model.config.conditioner_input == "symbols"
    reader = symbols(model.config, model.codebook)
    z = np.random.default_rng(1).normal(size=(1, 4, model.config.latent_size))
    normal = tfd.MultivariateNormalDiag(model.codebook.mean, tf.exp(model.codebook.log_std))
    joint = normal.prob(z[..., None, :])
    np.testing.assert_allclose(reader.read(z), joint / tf.reduce_sum(joint, -1, keepdims=True))
    assert reader.size == joint.shape[-1]
    # What is read is a function of z alone: only its first step changes what the second one knows.
    lengths = np.array([4], np.int32)
    _, before = model.prior.step_log_probs(z, lengths)
    z[:, 0] = model.codebook.mean[2]
    _, after = model.prior.step_log_probs(z, lengths)
    assert np.all(np.abs(after - before)[0] > 1e-6)


def test_notes_are_those_of_normal_distributions_and_bayes_rule(float64: None) -> None:
    model = make_model("codebook", spread=0.3, emission="bernoulli", latent_size=6)
    codebook, x = model.codebook, np.array([[1, 0, 0, 1, 0, 1], [0] * 6])
    assert isinstance(codebook, NoteCodebook)
    mean, log_std = codebook.of_symbols(tf.constant(x))
    for found, table in ((mean, codebook.mean), (log_std, codebook.log_std)):
        np.testing.assert_array_equal(found, np.take_along_axis(table.numpy(), x, axis=0))
    z = np.random.default_rng(1).normal(size=(1, 4, 6))
    normal = tfd.Normal(codebook.mean, tf.exp(codebook.log_std))
    off, on = np.moveaxis(normal.prob(z[..., None, :]).numpy(), -2, 0)
    np.testing.assert_allclose(symbols(model.config, codebook).read(z), on / (off + on))
    weight = np.exp(model.emitter.log_weight.numpy())
    found = tf.sigmoid(model.logits(z, tf.constant([4])))
    np.testing.assert_allclose(found, weight * on / (off + weight * on))


def test_chords_have_probabilities_that_sum_to_one(float64: None) -> None:
    sizes = {"vocab_size": 1, "latent_size": 1, "max_length": 4, "emission": "bernoulli"}
    model = make_model("codebook", spread=0.3, **sizes)
    pieces = np.array(list(itertools.product([0, 1], repeat=2)), np.int32)[..., None]
    log_probs = [log_prob_by_quadrature(model, piece) for piece in pieces]
    assert np.exp(log_probs).sum() == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize(
    "choices, message",
    [
        ({"emitter": "codebook"}, "expected inference codebook where the emitter is codebook"),
        (
            {"inference": "codebook", "emission": "bernoulli"},
            "expected latent_size 88 for a codebook of as many notes; got 8",
        ),
        ({"inference": "codebook", "posterior_dropout": 0.1}, "for inference codebook, which has"),
        ({"inference": "table"}, "one of bilstm, conv, local, codebook, conv:N .*; got 'table'"),
        ({"emitter": None}, "all set .a flow. or all None"),
        (
            {"conditioner": None},
            "expected conditioner to be one of lstm, conv, attention, .*; got None",
        ),
        (
            {"conditioner_input": "symbols"},
            "expected inference codebook and time multiscale, or af .*; got .'bilstm', 'af', 1.",
        ),
        ({"conditioner_input": "x"}, "conditioner_input to be one of latents, symbols; got 'x'"),
        ({"time": "none", "conditioner": "lstm"}, "nothing is conditioned on the past; got 'lstm'"),
    ],
)
def test_what_has_no_sense_is_refused(choices: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ModelConfig.from_name("af-af", **choices)
