"""Filling in against the summed probabilities of all sequences of a tiny model."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.exhaustive import distance, posterior, prior_draws, shares, small_model
from tests.models import LEAST_FIELDS, make_model
from tf_latentflow.conditional import fill_in
from tf_latentflow.noise import noise_of


@pytest.fixture
def model(float64: None) -> keras.Model:
    return small_model("one step")


def test_every_move_leaves_the_distribution_as_it_is(model: keras.Model) -> None:
    # Draws of the distribution: samples of the model that have the rare symbol at the end.
    z, lengths = prior_draws(model, 100_000, 3)
    probs = tf.nn.softmax(model.logits(z, lengths)[:, 2]).numpy()
    found = np.flatnonzero(np.random.default_rng(0).uniform(size=len(probs)) < probs[:, 1])
    z, lengths = tf.gather(z, found), lengths[found]
    x = tf.tile([[0, 0, 1]], [len(found), 1])
    exact = posterior(model, [None, None, 1], [3], num_samples=100_000)
    assert distance({(2, 2, 1): 1.0}, exact) > 0.3

    def filled(z: tf.Tensor) -> float:
        drawn = fill_in._fill(model, z, x, lengths, x == 1, 1.0, noise_of([5, 6], len(found)))
        return distance(shares(drawn.numpy(), lengths), exact)

    assert filled(z) < 0.03
    for move in (fill_in._from_prior, fill_in._from_posterior):
        for window in ([0, 1], [1, 3]):
            noise = noise_of([7, 8], len(found))
            moved = move(model, z, x, lengths, x == 1, 4, tf.constant(window), noise)
            assert np.any(moved != z)
            assert filled(moved) < 0.03


@pytest.mark.parametrize("move", [fill_in._from_prior, fill_in._from_posterior])
def test_what_is_beyond_a_length_moves_nothing(float64: None, move) -> None:
    model = small_model("whole sequence")  # Logits beyond a length depend on what is within.
    x = np.array([[0, 1, 2], [1, 0, 0], [2, 2, 0]], np.int32)
    z = np.random.default_rng(0).normal(size=(3, 3, 1)) * (np.arange(3) < [[2]] * 3)[..., None]
    given, window, noise = tf.constant(x > 0), tf.constant([0, 3]), noise_of([1, 2], 3)

    def moved(num_steps: int) -> np.ndarray:
        cut = [tf.constant(values)[:, :num_steps] for values in (z, x, given)]
        lengths = tf.constant([2] * 3)
        return move(model, cut[0], cut[1], lengths, cut[2], 16, window, noise)[:, :2].numpy()

    np.testing.assert_allclose(moved(3), moved(2), rtol=1e-6)
    assert np.any(moved(2) != z[:, :2])


def test_every_size_of_window_redraws_every_step_that_is_not_given() -> None:
    whole = np.array([False, True, True, False, *[True] * 16, False])
    windows = list(fill_in._windows(whole, 4))
    assert windows[:2] == [(True, 0, 21), (False, 0, 21)]
    for size in (1, 2, 4, 8):
        mine = [range(a, b) for from_prior, a, b in windows[2:] if from_prior and b - a == size]
        assert all(sum(step in window for window in mine) == 1 for step in (0, 3, 20))
        assert all(any(step in window for step in (0, 3, 20)) for window in mine)


@pytest.mark.nightly
def test_it_comes_near(model: keras.Model) -> None:
    exact = posterior(model, [None, None, 1], [3], num_samples=20_000)
    x = np.tile([0, 0, 1], (1000, 1))
    lengths = np.full(1000, 3)
    drawn = model.fill_in(x, lengths, x == 1, num_particles=8, sweeps=4, seed=[1, 2])
    assert distance(shares(drawn.numpy(), lengths), exact) < 0.06


def test_voices_are_kept() -> None:
    model = make_model("af-only", emission="bernoulli", **LEAST_FIELDS)
    rng = np.random.default_rng(0)
    x, given = rng.integers(0, 2, (2, 3, 6)), rng.integers(0, 2, (2, 3, 6)) > 0
    lengths = np.array([3, 2])
    first, again = (
        model.fill_in(x, lengths, given, num_particles=2, sweeps=1, seed=[1, 2]).numpy()
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.any(first[1, 2:])
    kept = given & (np.arange(3)[:, None] < lengths[:, None, None])
    np.testing.assert_array_equal(first[kept], x[kept])
    other = np.where(given, x, 1 - x)  # What is not given has no influence.
    drawn = model.fill_in(other, lengths, given, num_particles=2, sweeps=1, seed=[1, 2])
    np.testing.assert_array_equal(first, drawn)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"num_particles": 1}, "expected num_particles of at least 2"),
        ({"sweeps": 0}, "expected sweeps of at least 1; got 0"),
        ({"given": np.ones([2, 4])}, r"expected given \(2, 3\), as x; got \(2, 4\)"),
    ],
)
def test_what_cannot_be_filled_in(kwargs: dict, message: str) -> None:
    model = make_model("af-only", **LEAST_FIELDS)
    with pytest.raises(ValueError, match=message):
        model.fill_in(np.zeros([2, 3], int), [3, 3], **{"given": np.ones([2, 3]), **kwargs})
