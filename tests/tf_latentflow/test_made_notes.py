"""Chords whose notes depend on each other, against sums over all chords of four notes."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import LEAST_FIELDS, make_model
from tf_latentflow.emissions.made_notes import MADENotes
from tf_latentflow.noise import noise_of

CHORDS = np.array(list(itertools.product([0, 1], repeat=4)), np.int32)
LOGITS = np.array([0.3, -0.5, 0.8, -0.2])


@pytest.fixture
def notes(float64: None) -> MADENotes:
    keras.utils.set_random_seed(0)
    notes, rng = MADENotes(4, 3), np.random.default_rng(2)
    for variable in notes.made.trainable_variables:
        variable.assign_add(rng.normal(0, 0.7, variable.shape))
    return notes


def log_probs_of(notes: MADENotes, counted: np.ndarray | None = None) -> np.ndarray:
    """`log p(x)` of all chords, with the notes that count."""
    logits = np.repeat(LOGITS[None], len(CHORDS), axis=0)
    if counted is not None:
        counted = np.repeat(counted[None], len(CHORDS), axis=0)
    return notes.log_prob(logits, CHORDS, counted).numpy()


def shares(drawn: tf.Tensor) -> np.ndarray:
    """How often each of CHORDS was drawn."""
    indices = drawn.numpy().reshape(-1, 4) @ [8, 4, 2, 1]
    return np.bincount(indices, minlength=len(CHORDS)) / len(indices)


def test_is_a_distribution_over_chords_that_depend_on_their_notes(notes: MADENotes) -> None:
    probs = np.exp(log_probs_of(notes))
    assert probs.sum() == pytest.approx(1)
    independent = np.prod(np.where(CHORDS, CHORDS.T @ probs, 1 - CHORDS.T @ probs), axis=1)
    assert np.abs(probs - independent).sum() > 0.1


@pytest.mark.parametrize("num_given", range(5))
def test_the_highest_notes_count_alone(notes: MADENotes, num_given: int) -> None:
    """Their probability is the sum over the notes below them."""
    highest = np.arange(4) >= 4 - num_given
    probs = np.exp(log_probs_of(notes))
    same = np.all((CHORDS[:, None] == CHORDS) | ~highest, axis=-1)
    np.testing.assert_allclose(np.exp(log_probs_of(notes, highest)), same @ probs)


@pytest.mark.parametrize("num_given", [0, 2, 4])
def test_chords_are_drawn_given_their_highest_notes(notes: MADENotes, num_given: int) -> None:
    many = 40_000
    logits, chord = np.tile(LOGITS, (many, 1, 1)), np.array([1, 0, 0, 1], np.int32)
    highest = np.arange(4) >= 4 - num_given
    probs = np.exp(log_probs_of(notes)) * np.all((chord == CHORDS) | ~highest, axis=-1)
    x = np.broadcast_to(np.where(highest, chord, 7), logits.shape)  # 7: without influence.
    given = np.broadcast_to(highest, logits.shape)
    drawn = notes.fill(logits, x, given, 1.0, noise_of([1, 2], many))
    np.testing.assert_allclose(shares(drawn), probs / probs.sum(), atol=0.01)
    if not num_given:
        alone = notes.sample(logits, 1.0, noise_of([1, 2], many))
        np.testing.assert_array_equal(alone, drawn)


def test_at_temperature_zero_each_note_is_the_most_likely_after_those_above(
    notes: MADENotes,
) -> None:
    expected = np.zeros(4, np.int32)
    for n in (3, 2, 1, 0):
        both = np.stack([expected, expected])
        both[1, n] = 1
        counted = np.broadcast_to(np.arange(4) >= n, both.shape)
        expected[n] = np.argmax(notes.log_prob(np.stack([LOGITS, LOGITS]), both, counted))
    for wrap in (lambda draw: draw, tf.function):  # In a graph, a bare number is float32.
        drawn = wrap(lambda: notes.sample(LOGITS[None, None], 0.0, noise_of([1, 2], 1)))()
        np.testing.assert_array_equal(drawn[0, 0], expected)


def test_a_note_may_follow_from_all_above_it(
    notes: MADENotes, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Chain:
        """The highest note sounds, and every other one if the one above it does."""

        def given(self, context: tf.Tensor) -> Callable[[tf.Tensor], tf.Tensor]:
            first = tf.ones_like(context[..., :1])
            return lambda chord: 2 * tf.concat([first, chord[..., :-1]], -1)[..., None] - 1

    monkeypatch.setattr(notes, "made", Chain())
    drawn = notes.sample(tf.zeros([1, 1, 4], tf.float64), 0.0, noise_of([1, 2], 1))
    np.testing.assert_array_equal(drawn, np.ones([1, 1, 4]))


def test_starts_almost_independent_and_learns_every_weight() -> None:
    notes = MADENotes(88, 16)
    logits = notes.logits(tf.zeros([3, 16]))
    chord = np.random.default_rng(0).integers(0, 2, (3, 88))
    independent = super(MADENotes, notes).log_prob(logits, chord)
    np.testing.assert_allclose(notes.log_prob(logits, chord), independent, rtol=0.01)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(notes.log_prob(logits, chord))
    for gradient in tape.gradient(loss, notes.made.trainable_variables):
        assert np.any(gradient != 0)


def test_a_voice_below_is_refused_where_the_order_of_notes_matters() -> None:
    model = make_model("af-only", emission="made", **LEAST_FIELDS)
    x, lengths, given = np.zeros([1, 2, 6], int), [2], np.zeros([1, 2, 6], bool)
    x[0, 0, 4] = 1
    given[0, 0, 4:] = given[0, 1] = True
    kept = model.fill_in(x, lengths, given, num_particles=2, sweeps=1, seed=[1, 2]).numpy()
    np.testing.assert_array_equal(kept[given], x[given])
    given[0, 0, 5] = False
    with pytest.raises(ValueError, match="expected given notes to be the highest of their step"):
        model.fill_in(x, lengths, given, num_particles=2, sweeps=1)
