"""The metric protocol, on a model whose likelihoods are known."""

from __future__ import annotations

import dataclasses
import math
from unittest.mock import ANY, Mock, call

import numpy as np
import pytest
import tensorflow as tf

from bijectors import Execution
from tests.models import LEAST_FIELDS, make_model
from tf_latentflow import Noise, Terms
from train.backend.split_evaluation import SplitEvaluation
from train.data.text.config import TextConfig
from train.engine.split_terms import SplitTerms, bootstrap_stderr
from train.engine.workers.team import ALONE
from train.runs import testing
from train.support.units import BITS_PER_CHARACTER, NATS_PER_STEP, Unit


class UniformLengths:
    def log_prob(self, lengths: tf.Tensor) -> tf.Tensor:
        return tf.fill(tf.shape(lengths), -math.log(16.0))


class KnownModel:
    """log p(x|T) = -T log 4; each sequence's KL is its first symbol, in nats."""

    length_model = UniformLengths()

    def estimate(self, x: tf.Tensor, lengths: tf.Tensor, num_samples: int, seed: Noise) -> Terms:
        log_prob = -tf.cast(lengths, tf.float32) * math.log(4.0)
        kl = tf.cast(tf.reshape(x[:, 0], [tf.shape(x)[0], -1])[:, 0], tf.float32)
        return Terms(log_prob + kl, kl, log_prob)

    def elbo(self, x: tf.Tensor, lengths: tf.Tensor, num_samples: int, seed: Noise) -> Terms:
        terms = self.estimate(x, lengths, num_samples, seed)
        return Terms(*(tf.repeat(term[None], num_samples, 0) for term in terms))


SEQUENCES = [np.full([t], 1 + t % 3, np.int32) for t in (3, 1, 4, 1, 5, 9, 2, 6)]
LENGTHS = np.array([3, 1, 4, 1, 5, 9, 2, 6])


def evaluate(unit: Unit = BITS_PER_CHARACTER, has_latents: bool = True) -> dict[str, float | None]:
    terms = SplitEvaluation(KnownModel(), 7, 3, importance=True)(SEQUENCES, seed=0)
    return terms.test_report(unit, has_latents, 7)


def test_protocol_in_bits() -> None:
    results = evaluate()
    symbols = np.sum(LENGTHS + 1)
    kl = np.sum([x[0] for x in SEQUENCES]) / math.log(2)
    assert results["bpc"] == pytest.approx((2 * LENGTHS.sum() + 4 * 8) / symbols)
    assert results["bpc_given_length"] == pytest.approx(2.0)
    assert results["kl_bpc"] == pytest.approx(kl / symbols)
    assert results["reconstruction_bpc"] == pytest.approx((2 * LENGTHS.sum() - kl) / symbols)
    assert results["num_sequences"] == 8
    stderr = bootstrap_stderr(2 * LENGTHS + 4, LENGTHS + 1)
    assert results["bpc_stderr"] == pytest.approx(stderr)


def test_another_unit_differs_in_name_and_scale_only() -> None:
    results, nats = evaluate(), evaluate(NATS_PER_STEP)
    for name in ("{}", "{}_stderr", "reconstruction_{}", "kl_{}", "{}_given_length"):
        expected = results[name.format("bpc")] * math.log(2)
        assert nats[name.format("nats_per_step")] == pytest.approx(expected)


def test_without_latents_the_terms_are_null() -> None:
    results = evaluate(has_latents=False)
    assert results["reconstruction_bpc"] is None
    assert results["kl_bpc"] is None
    assert results["num_samples"] == 1


def test_what_takes_long_is_only_reported_of_a_test() -> None:
    terms = SplitEvaluation(KnownModel(), 7, 3, importance=True)(SEQUENCES, seed=0)
    report, test_report = (terms.report(BITS_PER_CHARACTER, True), evaluate())
    assert set(test_report) - set(report) == {"bpc_stderr", "num_samples"}
    assert test_report["num_samples"] == 7


def test_batches_do_not_matter_and_terms_are_in_the_order_of_the_split() -> None:
    calls = []
    for batch_size in (1, 3, 8, 20):
        evaluation = SplitEvaluation(KnownModel(), 2, batch_size, importance=True)
        found = evaluation(
            SEQUENCES, seed=0, progress=lambda done, total: calls.append((done, total))
        )
        np.testing.assert_array_equal(found.lengths, LENGTHS)
        np.testing.assert_allclose(found.terms.log_prob, -LENGTHS * math.log(4.0), rtol=1e-6)
        np.testing.assert_array_equal(found.terms.kl, [x[0] for x in SEQUENCES])
        assert calls[-1] == (8, 8)


def test_long_sequences_come_in_smaller_batches() -> None:
    shapes = []

    class Recording(KnownModel):
        def estimate(
            self, x: tf.Tensor, lengths: tf.Tensor, num_samples: int, seed: Noise
        ) -> Terms:
            assert x.dtype == tf.uint8
            tf.py_function(lambda x: shapes.append(tuple(x.shape)), [x], [])
            return super().estimate(x, lengths, num_samples, seed)

    rolls = [np.tile(x[:, None], [1, 2]).astype(np.uint8) for x in SEQUENCES]
    evaluation = SplitEvaluation(Recording(), 2, 3, importance=True, max_batch_steps=10)
    found = evaluation(rolls, seed=0).test_report(NATS_PER_STEP, True, 7)
    assert shapes == [(1, 9, 2), (1, 6, 2), (2, 5, 2), (3, 3, 2), (3, 1, 2)]
    assert found == pytest.approx(evaluate(NATS_PER_STEP))


@pytest.mark.parametrize("importance", [False, True])
def test_kind_samples_and_seed_are_those_asked_for(importance: bool) -> None:
    class Telling(KnownModel):
        """Its KL is the number of samples, below 0 in the ELBO; the rest is noise."""

        def estimate(
            self, x: tf.Tensor, lengths: tf.Tensor, num_samples: int, seed: Noise
        ) -> Terms:
            noise = seed.normal([tf.shape(x)[0], 1, 1], tf.float32)[:, 0, 0]
            return Terms(noise, tf.zeros_like(noise) + num_samples, noise)

        def elbo(self, x: tf.Tensor, lengths: tf.Tensor, num_samples: int, seed: Noise) -> Terms:
            noise, kl, _ = self.estimate(x, lengths, num_samples, seed)
            return Terms(noise[None], -kl[None], noise[None])

    def noise_of(seed: int) -> list[float]:
        terms = SplitEvaluation(Telling(), 5, 3, importance=importance)(SEQUENCES, seed).terms
        assert (terms.kl == (5 if importance else -5)).all()
        return terms.log_prob.tolist()

    assert noise_of(0) == noise_of(0) != noise_of(1)


def test_the_bound_is_the_difference_of_its_terms() -> None:
    evaluation = SplitEvaluation(make_model("af-only", **LEAST_FIELDS), 3, 4, importance=False)
    reconstruction, kl, log_prob = evaluation(SEQUENCES, seed=0).terms
    np.testing.assert_allclose(log_prob, reconstruction - kl, rtol=1e-6)


def test_bootstrap_is_the_delta_method_for_many_sequences() -> None:
    rng = np.random.default_rng(0)
    symbols = rng.integers(5, 100, 4000)
    nll = symbols * rng.normal(1.5, 0.3, 4000)
    ratio = nll.sum() / symbols.sum()
    expected = np.std(nll - ratio * symbols) / symbols.mean() / math.sqrt(4000)
    assert bootstrap_stderr(nll, symbols) == pytest.approx(expected, rel=0.1)
    assert bootstrap_stderr(nll, symbols) == bootstrap_stderr(nll, symbols)
    assert bootstrap_stderr(nll[:1], symbols[:1]) is None
    assert all(bootstrap_stderr(one, np.ones(3)) > 0 for one in np.eye(3))  # Each is drawn.


def test_nll_includes_the_length() -> None:
    one = np.array([1.0])
    split = SplitTerms(np.array([1]), Terms(-one, 2 * one, -3 * one), -2 * one)
    assert split.nll == pytest.approx(5.0)


def test_samples_of_a_sequence_do_not_depend_on_the_batches() -> None:
    model = make_model("af-only", spread=0.5, **LEAST_FIELDS)
    sequences = [np.full([t], 2 + t % 3, np.int32) for t in (3, 1, 4, 1, 5, 9, 2, 6)]
    found = [
        SplitEvaluation(model, 3, size, importance=importance)(sequences, seed=1).terms.log_prob
        for importance in (False, True)
        for size in (1, 3, 8)
    ]
    for group in (found[:3], found[3:]):
        for other in group[1:]:
            np.testing.assert_allclose(other, group[0], rtol=1e-5)
    assert np.abs(found[0] - found[3]).max() > 0


def test_a_split_is_evaluated_as_the_run_says_and_without_rounded_products(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, evaluation, dataset = make_model("lstm"), Mock(), Mock()
    model.execution = Execution(products="bfloat16")  # As in training.
    monkeypatch.setattr(testing, "SplitEvaluation", evaluation)
    dataset.encode.return_value, dataset.counts.return_value = "encoded", {"num_unknown": 2}
    evaluation().return_value.test_report.return_value = {"num_sequences": 3}
    config = dataclasses.replace(
        TextConfig(), seed=5, batch_size=6, max_batch_steps=70, compile_loops=True
    )
    results = testing.split_results(
        model, dataset, ["a", "b", "c"], config, num_samples=9, screen=Mock()
    )
    assert results == {"num_sequences": 3, "num_unknown": 2}
    assert model.execution == Execution(compile_loops=True)
    assert evaluation.call_args == call(
        model, 9, 6, importance=True, max_batch_steps=70, team=ALONE
    )
    assert evaluation().call_args == call("encoded", 5, ANY)
    assert dataset.encode.call_args == call(model.config, ["a", "b", "c"])
    assert dataset.counts.call_args == call(["a", "b", "c"], "encoded")
