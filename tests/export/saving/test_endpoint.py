"""What the functions of a served model ask their model, and what they make of its answers."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest
import tensorflow as tf

from export.saving.options import ExportOptions
from export.saving.request_noise import LATENTS, SYMBOLS, request_noise
from export.saving.roll_codec import RollCodec
from export.saving.signatures import Endpoint
from tests.export.kinds import floats
from tf_latentflow.config import MAX_TEMPERATURE

LONGEST = 4
ROLLS = tf.constant([b"\x80\x20" * 3, b"", b"\0\0" * LONGEST, b"\0\0" * (LONGEST + 1), b"\0\0"])
LENGTHS = [3, 0, 4, 0, 1]
LENGTH_NATS = np.array([1.0, 9.0, 2.0, 9.0, 3.0], np.float32)


def _steps() -> np.ndarray:
    """The terms of three samples, 0 beyond each length."""
    terms = np.random.default_rng(0).normal(size=(3, 5, LONGEST)).astype(np.float32)
    return np.where(np.arange(LONGEST) < np.array(LENGTHS)[:, None], terms, 0)


@pytest.fixture
def model() -> SimpleNamespace:
    """A model of music that is asked, and does nothing."""
    terms = SimpleNamespace(log_prob=tf.constant([-8.0, 0.0, -13.0, 0.0, -1.0]))
    return SimpleNamespace(
        config=SimpleNamespace(vocab_size=11, latent_size=2, max_length=9, is_flow=True),
        executing=Mock(return_value=contextlib.nullcontext()),
        sample=Mock(side_effect=lambda *_: tf.ones([5, LONGEST, 11], tf.int32)),
        complete=Mock(return_value=(tf.ones([5, 9, 11], tf.int32), tf.constant([9, 1, 4, 1, 3]))),
        estimate=Mock(return_value=terms),
        elbo_by_step=Mock(return_value=SimpleNamespace(log_prob=tf.constant(_steps()))),
        reconstruct=Mock(side_effect=lambda x, *_: x),
        length_model=SimpleNamespace(log_prob=Mock(return_value=tf.constant(-LENGTH_NATS))),
    )


@pytest.fixture
def endpoint(model: SimpleNamespace) -> Endpoint:
    options = ExportOptions(LONGEST, score_samples=3, particles=7)
    return Endpoint(model, RollCodec(11, LONGEST), options)


def test_sizes_are_those_of_the_export(endpoint: Endpoint) -> None:
    described = {name: of.numpy().tolist() for name, of in endpoint._describe([0, 0]).items()}
    assert described == {"max_length": [LONGEST] * 2, "noise_size": [2] * 2}


def test_a_sample_is_that_of_its_seed_and_no_longer_than_the_export(
    endpoint: Endpoint, model: SimpleNamespace
) -> None:
    seeds = tf.constant([3, 4, 5, 6, 7], tf.int64)
    temperatures = tf.constant([1.0, -0.1, MAX_TEMPERATURE, 2 * MAX_TEMPERATURE, 0.5])
    drawn = endpoint._generate(tf.constant([9, 3, 2, 3, -1]), seeds, temperatures)
    assert drawn["num_steps"].numpy().tolist() == [4, 0, 2, 0, 0]
    assert [len(roll) for roll in drawn["roll_bytes"].numpy()] == [8, 0, 4, 0, 0]
    (lengths, asked, noise, num_steps), _ = model.sample.call_args
    assert lengths.numpy().tolist() == [4, 0, 2, 0, 0] and num_steps == 4
    np.testing.assert_array_equal(np.ravel(asked), [1, 0, MAX_TEMPERATURE, 0, 0.5])
    assert asked.shape == (5, 1, 1)
    source = request_noise(seeds)
    normals = source.fold(LATENTS).normal([5, 4, 2], tf.float32)
    np.testing.assert_array_equal(noise.normals, normals)
    uniforms = source.fold(SYMBOLS).uniform([5, 4, 11], tf.float32)
    np.testing.assert_array_equal(noise.uniforms, uniforms)
    assert LATENTS != SYMBOLS


def test_what_cannot_be_continued_is_empty(endpoint: Endpoint, model: SimpleNamespace) -> None:
    lengths, temperatures = tf.constant([0, 3, 0, 2, 3]), tf.constant([0.5, 1.0, 1.0, 1.0, -1.0])
    continued = endpoint._complete(ROLLS, lengths, tf.range(5, dtype=tf.int64), temperatures)
    # The first is as long as the export allows, though the model would go on.
    assert continued["num_steps"].numpy().tolist() == [4, 0, 0, 0, 0]
    (_, begun, wanted, particles, temperature, _), _ = model.complete.call_args
    assert begun.numpy().tolist() == [3, 0, 0, 0, 0]
    assert wanted.numpy().tolist() == [0, 1, 1, 1, 1]
    assert particles == 7
    np.testing.assert_allclose(np.ravel(temperature), [0.5, 0, 0, 0, 0])


def test_scores_count_the_length_too(endpoint: Endpoint, model: SimpleNamespace) -> None:
    scored = {name: of.numpy() for name, of in endpoint._score(ROLLS).items()}
    expected = np.array([-9.0, np.nan, -15.0, np.nan, -4.0])
    np.testing.assert_allclose(scored["log_likelihood"], expected)
    np.testing.assert_allclose(scored["nats_per_step"], -expected / [4, 1, 5, 1, 2])
    assert scored["num_steps"].tolist() == [3, 0, 4, 5, 1]
    (_, lengths, samples, noise, _), _ = model.estimate.call_args
    assert lengths.numpy().tolist() == LENGTHS and samples == 3
    of_seed = request_noise(tf.zeros([1], tf.int64))
    first, second = (source.normal([2, 4, 2], tf.float32) for source in (noise, of_seed))
    assert first.shape[0] == 1  # All rows have the same noise,
    assert np.all(first[0] != second[0])  # which is not that of a seed.


def test_steps_are_means_over_the_samples(endpoint: Endpoint, model: SimpleNamespace) -> None:
    found = {name: of.numpy() for name, of in endpoint._score_steps(ROLLS).items()}
    steps = -_steps().mean(axis=0)
    for row, length in enumerate(LENGTHS):
        np.testing.assert_allclose(floats(found["nats_bytes"][row]), steps[row, :length], rtol=1e-6)
    there = np.array(LENGTHS) > 0
    np.testing.assert_allclose(found["length_nats"], np.where(there, LENGTH_NATS, np.nan))
    assert model.elbo_by_step.call_args.args[2] == 3


def test_a_seed_decides_what_is_reconstructed(endpoint: Endpoint, model: SimpleNamespace) -> None:
    again = endpoint._reconstruct(ROLLS, tf.constant([1, 2, 1, 1, 1], tf.int64))
    assert again["roll_bytes"].numpy().tolist() == [
        ROLLS.numpy()[row] if length else b"" for row, length in enumerate(LENGTHS)
    ]
    noise = model.reconstruct.call_args.args[2]
    first, second, third, *_ = noise.normal([5, 4, 2], tf.float32).numpy()
    np.testing.assert_array_equal(first, third)
    assert np.all(first != second)
