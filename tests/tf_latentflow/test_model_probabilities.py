"""The models as distributions over sequences: sums, quadrature, and samples beside them."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import draw_x, every_row, make_model, rows
from tests.quadrature import log_prob_by_quadrature
from tf_latentflow import LatentFlow
from tf_latentflow.config.rows import NOTES
from tf_latentflow.noise import noise_of


def widen_posterior(model: keras.Model, by: float = 0.7) -> None:
    """Makes q(z | x) wider than p(z), so that importance weights have light tails."""
    if isinstance(model, LatentFlow):
        bias = model.inference_network.outputs.bias
        bias.assign_add(np.repeat([0.0, by], model.config.latent_size))


@every_row
def test_is_a_distribution_over_pairs(float64: None, name: str, emission: str) -> None:
    """exp(log p(x, T = 2)) over all x of two steps sums to p(T = 2)."""
    # Importance samples miss most of what is narrow.
    if name in ("codebook", "multiscale", "multiscale-codebook"):
        model = make_model(name, spread=0.2, vocab_size=3, latent_size=1, max_length=4)
        pairs = np.array(list(itertools.product(range(3), repeat=2)), np.int32)
        log_probs = np.array([log_prob_by_quadrature(model, pair) for pair in pairs])
        assert np.exp(log_probs).sum() == pytest.approx(1, abs=2e-3)
        return
    if emission in NOTES:
        vocab_size, x = 2, list(itertools.product([0, 1], repeat=4))
        x = np.array(x, np.int32).reshape(16, 2, 2)
    else:
        vocab_size, x = 4, np.array(list(itertools.product(range(4), repeat=2)), np.int32)
    sizes = {"vocab_size": vocab_size, "latent_size": 2, "max_length": 4}
    model = make_model(name, spread=0.15, emission=emission, **sizes)
    model.length_model.fit(np.array([1, 2, 2, 4]))
    copies = 40  # every row draws samples of its own
    x = np.repeat(x, copies, axis=0)
    log_likelihood = model.log_likelihood(x, np.full(len(x), 2), num_samples=400, seed=[1, 2])
    total = np.exp(log_likelihood.numpy()).sum() / copies
    (expected,) = np.exp(model.length_model.log_prob([2]))
    assert total == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("name", rows(["af-af", "af-af-affine"]))
@pytest.mark.parametrize("time", ["af", "none", pytest.param("iaf", marks=pytest.mark.nightly)])
def test_estimate_converges_to_quadrature(float64: None, name: str, time: str) -> None:
    model = make_model(name, spread=0.3, latent_size=1, time=time, num_lstm_layers=2)
    widen_posterior(model, by=1.2)  # By 0.7 an estimate is off by 0.06, seed by seed.
    for x in draw_x(2, batch=2):
        exact = log_prob_by_quadrature(model, x)
        copies = np.repeat(x[None], 50, axis=0)  # every row draws samples of its own
        estimate = model.estimate(copies, np.full(50, 2), 400, [3, 4])
        assert np.log(np.mean(np.exp(estimate.log_prob))) == pytest.approx(exact, abs=0.02)
        assert np.mean(estimate.reconstruction - estimate.kl) <= exact


@pytest.mark.parametrize("name", rows(["af-af", "iaf-scf", "af-indep-affine", "codebook", "lstm"]))
def test_samples_have_the_probabilities_of_the_model(name: str) -> None:
    model = make_model(name, spread=0.3, vocab_size=4, latent_size=2, max_length=3)
    samples = model.sample(np.ones(4000, np.int32), 1.0, [1, 2]).numpy()[:, 0]
    x = np.arange(4, dtype=np.int32)[:, None]
    if isinstance(model, LatentFlow):
        log_probs = np.array([log_prob_by_quadrature(model, row) for row in x])
    else:
        log_probs = model.estimate(x, np.ones(4)).log_prob
    assert np.exp(log_probs).sum() == pytest.approx(1, abs=2e-3)
    np.testing.assert_allclose(np.bincount(samples) / 4000, np.exp(log_probs), atol=0.03)


def test_symbols_of_a_temperature_follow_its_softmax() -> None:
    symbols = make_model("af-af").symbols
    logits = tf.random.stateless_normal([1, 1, 6], [0, 1]) * 3
    probabilities = tf.nn.softmax(logits[0, 0] / 0.5)
    many = symbols.sample(tf.repeat(logits, 20000, axis=0), 0.5, noise_of([1, 2], 20000))
    frequencies = np.bincount(many.numpy().ravel(), minlength=6) / 20000
    np.testing.assert_allclose(frequencies, probabilities, atol=0.015)
