"""Symbols and notes: embedding, probability, sampling."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tf_latentflow import ModelConfig, build_model
from tf_latentflow.config.choices import EMISSIONS
from tf_latentflow.config.rows import NOTES
from tf_latentflow.emissions.categorical import CategoricalSymbols
from tf_latentflow.emissions.notes import BernoulliNotes
from tf_latentflow.noise import noise_of


def make_notes(spread: float = 1.0) -> BernoulliNotes:
    notes = BernoulliNotes(5, 4)
    rng = np.random.default_rng(0)
    for variable in (notes.embedding, notes.bias):
        variable.assign_add(rng.normal(0, spread, variable.shape))
    return notes


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def test_table_and_shapes() -> None:
    features = tf.zeros([2, 3, 4])
    for name in EMISSIONS:
        event_shape = (5,) if name in NOTES else ()
        symbols = EMISSIONS[name](5, 4)
        assert symbols.event_shape == event_shape
        logits = symbols.logits(features)
        x = symbols.sample(logits, 1.0, noise_of([1, 2], len(logits)))
        assert x.shape == (2, 3, *event_shape) and x.dtype == tf.int32
        assert symbols.embed(x).shape == logits.shape[:-1] + (4,)
        assert symbols.log_prob(logits, x).shape == (2, 3)


def test_a_chord_is_the_sum_of_its_notes_and_silence_is_zero() -> None:
    notes = make_notes()
    chord, silence = notes.embed(tf.constant([[1, 0, 0, 1, 1], [0, 0, 0, 0, 0]]))
    e = notes.embedding.numpy()
    np.testing.assert_allclose(chord, e[0] + e[3] + e[4], rtol=1e-5)
    assert not np.any(silence)


@pytest.mark.parametrize("value", [-1, 5])
def test_a_graph_refuses_symbols_that_do_not_exist(value: int) -> None:
    inputs = tf.function(CategoricalSymbols(5, 7).inputs)
    with tf.device("/cpu:0"), pytest.raises(tf.errors.InvalidArgumentError, match="is not in"):
        inputs(tf.constant([[value]]))


@pytest.mark.parametrize("name", EMISSIONS)
@pytest.mark.parametrize("size", [3, 7])
def test_inputs_times_their_kernel_are_the_embedding_times_the_kernel(name: str, size: int) -> None:
    symbols = EMISSIONS[name](5, size)
    x = np.random.default_rng(0).integers(0, symbols.num_values, [2, 3, *symbols.event_shape])
    kernel = np.random.default_rng(1).normal(size=[size, 4]).astype(np.float32)
    inputs = symbols.inputs(tf.constant(x, tf.int32))
    assert inputs.shape == (2, 3, min(5, size))
    product = tf.linalg.matmul(inputs, symbols.input_kernel(kernel))
    embedded = symbols.embed(tf.constant(x, tf.int32))
    np.testing.assert_allclose(product, tf.linalg.matmul(embedded, kernel), atol=1e-5)


@pytest.mark.parametrize("name", EMISSIONS)
def test_at_temperature_zero_no_random_number_counts(name: str) -> None:
    symbols, logits = EMISSIONS[name](5, 4), tf.constant([[[-2.0, 1.0, -1.0, 3.0, -0.5]]])
    least, middle = (symbols.choose(logits, 0.0, tf.fill([1, 1, 5], u)) for u in (0.0, 0.5))
    np.testing.assert_array_equal(least, middle)


def test_notes_are_rare_at_the_start() -> None:
    p = sigmoid(BernoulliNotes(88, 16).logits(tf.zeros([1, 16])).numpy())
    assert np.all((p > 0.03) & (p < 0.08))


def test_log_prob_is_the_sum_over_the_notes_for_every_sample_of_the_features() -> None:
    notes, rng = make_notes(), np.random.default_rng(1)
    features = rng.normal(size=(7, 2, 3, 4)).astype(np.float32)  # [S, B, T, size]
    x = rng.integers(0, 2, (2, 3, 5))
    p = sigmoid(features.astype(float) @ notes.embedding.numpy().T + notes.bias.numpy())
    expected = np.log(np.where(x == 1, p, 1 - p)).sum(axis=-1)
    np.testing.assert_allclose(notes.log_prob(notes.logits(features), x), expected, rtol=1e-4)


def test_log_prob_of_certain_notes_neither_overflows_nor_vanishes() -> None:
    notes = BernoulliNotes(2, 1)
    notes.embedding.assign([[1.0], [-1.0]])
    notes.bias.assign([0.0, 0.0])
    for x, expected in (([1, 0], -2 * np.exp(-30.0)), ([0, 1], -60.0)):
        log_prob = notes.log_prob(notes.logits(tf.constant([[30.0]])), tf.constant([x]))
        np.testing.assert_allclose(log_prob, [expected], rtol=1e-4)
    features = tf.constant([[1e4]])
    with tf.GradientTape() as tape:
        tape.watch(features)
        log_prob = notes.log_prob(notes.logits(features), tf.constant([[0, 1]]))
    np.testing.assert_allclose(log_prob, [-2e4])
    np.testing.assert_allclose(tape.gradient(log_prob, features), [[-2.0]])


@pytest.mark.parametrize("temperature", [0.0, 0.5, 1.0, 2.0])
def test_notes_of_a_temperature_follow_its_sigmoid(temperature: float) -> None:
    notes = make_notes(spread=2.0)
    drawn = notes.logits(tf.random.stateless_normal([1, 1, 4], [0, 1]))
    logits = drawn[0, 0].numpy()
    many = notes.sample(
        tf.repeat(drawn, 20000, axis=0), temperature, noise_of([1, 2], 20000)
    ).numpy()
    expected = sigmoid(logits / temperature) if temperature else (logits > 0).astype(float)
    np.testing.assert_allclose(many.mean(axis=(0, 1)), expected, atol=0.015)
    covariance = np.cov(many[:, 0].T)  # the notes are independent
    np.testing.assert_allclose(covariance - np.diag(np.diag(covariance)), 0, atol=0.01)


@pytest.mark.parametrize("name", ["lstm", "af-af", "codebook", "multiscale-codebook"])
def test_the_weights_of_symbols_are_those_that_depend_on_their_number(name: str) -> None:
    small, large = (build_model(ModelConfig.from_name(name, "tiny", vocab_size=n)) for n in (6, 7))
    of_symbols = {id(weight) for layer in small.layers for weight in layer.symbol_weights}
    for weight, other in zip(small.variables, large.variables, strict=True):
        assert (id(weight) in of_symbols) == (weight.shape != other.shape), weight.path
