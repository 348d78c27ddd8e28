"""The metric protocol, on a model whose likelihoods are known."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from train.backend.metrics import SplitTerms, evaluate_split
from train.engine.sums import Sums, bootstrap_stderr
from train.support.units import BITS_PER_CHARACTER, NATS_PER_STEP, Unit


class Terms(NamedTuple):
    log_prob: tf.Tensor
    reconstruction: tf.Tensor
    kl: tf.Tensor


class Bound(NamedTuple):
    reconstruction: tf.Tensor
    kl: tf.Tensor


class UniformLengths:
    def log_prob(self, lengths: tf.Tensor) -> tf.Tensor:
        return tf.fill(tf.shape(lengths), -math.log(16.0))


class KnownModel:
    """log p(x|T) = -T log 4; each sequence's KL is its first symbol, in nats."""

    length_model = UniformLengths()

    def estimate(
        self, x: tf.Tensor, lengths: tf.Tensor, num_samples: int, seed: tf.Tensor
    ) -> Terms:
        log_prob = -tf.cast(lengths, tf.float32) * math.log(4.0)
        kl = tf.cast(tf.reshape(x[:, 0], [tf.shape(x)[0], -1])[:, 0], tf.float32)
        return Terms(log_prob, log_prob + kl, kl)

    def elbo(self, x: tf.Tensor, lengths: tf.Tensor, num_samples: int, seed: tf.Tensor) -> Bound:
        terms = self.estimate(x, lengths, num_samples, seed)
        return Bound(
            tf.repeat(terms.reconstruction[None], num_samples, 0),
            tf.repeat(terms.kl[None], num_samples, 0),
        )


SEQUENCES = [np.full([t], 1 + t % 3, np.int32) for t in (3, 1, 4, 1, 5, 9, 2, 6)]
LENGTHS = np.array([3, 1, 4, 1, 5, 9, 2, 6])


def evaluate(unit: Unit = BITS_PER_CHARACTER, **options: object) -> dict[str, float | None]:
    options = {"has_latents": True, "num_samples": 7, "seed": 0, "batch_size": 3, **options}
    return evaluate_split(KnownModel(), SEQUENCES, unit, **options)


def test_protocol_in_bits() -> None:
    results = evaluate()
    symbols = np.sum(LENGTHS + 1)
    kl = np.sum([x[0] for x in SEQUENCES]) / math.log(2)
    assert results["bpc"] == pytest.approx((2 * LENGTHS.sum() + 4 * 8) / symbols)
    assert results["bpc_given_length"] == pytest.approx(2.0)
    assert results["kl_bpc"] == pytest.approx(kl / symbols)
    assert results["reconstruction_bpc"] == pytest.approx((2 * LENGTHS.sum() - kl) / symbols)
    assert (results["num_sequences"], results["num_samples"]) == (8, 7)
    assert results["bpc_stderr"] > 0


def test_another_unit_differs_in_name_and_scale_only() -> None:
    results, nats = evaluate(), evaluate(NATS_PER_STEP)
    for name in ("{}", "{}_stderr", "reconstruction_{}", "kl_{}", "{}_given_length"):
        expected = results[name.format("bpc")] * math.log(2)
        assert nats[name.format("nats_per_step")] == pytest.approx(expected)


def test_without_latents_the_terms_are_null_and_one_sample_is_enough() -> None:
    results = evaluate(has_latents=False)
    assert results["reconstruction_bpc"] is None
    assert results["kl_bpc"] is None
    assert results["num_samples"] == 1


def test_batches_do_not_matter_and_terms_are_in_the_order_of_the_split() -> None:
    calls = []
    for batch_size in (1, 3, 8, 20):
        terms = SplitTerms(KnownModel(), 2, batch_size, importance=True)
        sums = terms(SEQUENCES, seed=0, progress=lambda done, total: calls.append((done, total)))
        np.testing.assert_array_equal(sums.lengths, LENGTHS)
        np.testing.assert_allclose(sums.log_prob, -LENGTHS * math.log(4.0), rtol=1e-6)
        np.testing.assert_array_equal(sums.kl, [x[0] for x in SEQUENCES])
        assert calls[-1] == (8, 8)


def test_long_sequences_come_in_smaller_batches() -> None:
    shapes = []

    class Recording(KnownModel):
        def estimate(
            self, x: tf.Tensor, lengths: tf.Tensor, num_samples: int, seed: tf.Tensor
        ) -> Terms:
            assert x.dtype == tf.uint8
            tf.py_function(lambda x: shapes.append(tuple(x.shape)), [x], [])
            return super().estimate(x, lengths, num_samples, seed)

    rolls = [np.tile(x[:, None], [1, 2]).astype(np.uint8) for x in SEQUENCES]
    options = {"has_latents": True, "num_samples": 2, "seed": 0, "batch_size": 3}
    found = evaluate_split(Recording(), rolls, NATS_PER_STEP, max_batch_steps=10, **options)
    assert shapes == [(1, 9, 2), (1, 6, 2), (2, 5, 2), (3, 3, 2), (1, 1, 2)]
    assert found == pytest.approx(evaluate(NATS_PER_STEP, num_samples=2))


def test_the_bound_is_the_difference_of_its_terms() -> None:
    sums = SplitTerms(KnownModel(), 3, 4, importance=False)(SEQUENCES, seed=0)
    np.testing.assert_allclose(sums.log_prob, sums.reconstruction - sums.kl, rtol=1e-6)


def test_bootstrap_is_the_delta_method_for_many_sequences() -> None:
    rng = np.random.default_rng(0)
    symbols = rng.integers(5, 100, 4000)
    nll = symbols * rng.normal(1.5, 0.3, 4000)
    ratio = nll.sum() / symbols.sum()
    expected = np.std(nll - ratio * symbols) / symbols.mean() / math.sqrt(4000)
    assert bootstrap_stderr(nll, symbols) == pytest.approx(expected, rel=0.1)
    assert bootstrap_stderr(nll, symbols) == bootstrap_stderr(nll, symbols)
    assert bootstrap_stderr(nll[:1], symbols[:1]) == 0.0


def test_nll_includes_the_length() -> None:
    one = np.array([1.0])
    sums = Sums(np.array([1]), -3 * one, -2 * one, -one, 2 * one)
    assert sums.nll == pytest.approx(5.0)
