"""Continuation against the summed probabilities of all sequences of a tiny model."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.exhaustive import distance, posterior, shares, small_model
from tests.models import LEAST_FIELDS, make_model
from tf_latentflow.conditional.particles import pick
from tf_latentflow.noise import noise_of

ROWS = 3000


def completed(model: keras.Model, num_particles: int) -> dict[tuple[int, ...], float]:
    """How often each sequence that begins with symbol 1 comes out."""
    x, lengths = np.tile([1, 2], [ROWS, 1]), np.ones(ROWS, np.int32)  # 2: without influence.
    # As in a server, where nothing is compiled.
    complete = tf.function(
        lambda: model.complete(x, lengths, None, num_particles, seed=[1, 2]), autograph=False
    )
    x, lengths = complete()
    return shares(x.numpy(), lengths.numpy())


@pytest.mark.parametrize(
    "kind", ["one step", pytest.param("whole sequence", marks=pytest.mark.nightly)]
)
def test_it_comes_near_with_more_particles(float64: None, kind: str) -> None:
    model = small_model(kind)
    exact = posterior(model, [1], [2, 3])
    one, many = (distance(completed(model, n), exact) for n in (1, 16))
    assert one > 0.09
    assert many < 0.05


@pytest.mark.parametrize("kind", ["one step", "whole sequence"])
def test_what_is_beyond_a_beginning_has_no_influence(float64: None, kind: str) -> None:
    model = small_model(kind)

    def drawn(begun: list[int]) -> list[np.ndarray]:
        x, lengths = np.tile(begun, [100, 1]), np.ones(100, np.int32)
        complete = tf.function(lambda: model.complete(x, lengths, None, 8, seed=[1, 2]))
        return [values.numpy() for values in complete()]

    for values, expected in zip(drawn([1, 2]), drawn([1]), strict=True):
        np.testing.assert_array_equal(values, expected)


def test_the_baseline_is_exact(float64: None) -> None:
    model = small_model("baseline")
    exact, drawn = posterior(model, [1], [2, 3]), completed(model, 1)
    of_two, drawn_of_two = (sum(p for x, p in d.items() if len(x) == 2) for d in (exact, drawn))
    assert abs(of_two - 0.4) > 0.035  # The beginning says something of the length.
    assert drawn_of_two == pytest.approx(of_two, abs=0.015)
    assert distance(drawn, exact) < 0.04


@pytest.mark.parametrize("name", ["lstm", pytest.param("af-only", marks=pytest.mark.nightly)])
def test_music_begins_as_given(name: str) -> None:
    fields = LEAST_FIELDS if name == "af-only" else {}
    model = make_model(name, emission="bernoulli", **fields)
    x = np.random.default_rng(0).integers(0, 2, (2, 3, 6))
    begun = np.array([3, 1])
    first, lengths = model.complete(x, begun, num_particles=4, seed=[1, 2])
    again, _ = model.complete(x, begun, num_particles=4, seed=[1, 2])
    np.testing.assert_array_equal(first, again)
    assert np.all(lengths > begun) and np.all(lengths <= 9)
    assert first.shape == (2, max(3, np.max(lengths)), 6) and first.dtype == tf.int32
    np.testing.assert_array_equal(first[0, :3], x[0])
    np.testing.assert_array_equal(first[1, :1], x[1, :1])
    for row, size in zip(first, lengths, strict=True):
        assert not np.any(row[size:])
    x, lengths = model.complete(x, begun, [5, 4], num_particles=4, temperature=0.0, seed=[1, 2])
    assert x.shape == (2, 5, 6) and lengths.numpy().tolist() == [5, 4]
    _, lengths = model.complete(x, begun, [5, 0], num_particles=4, seed=[1, 2])
    assert lengths[0] == 5 and 1 < lengths[1] <= 9


def test_a_particle_that_is_impossible_is_not_picked() -> None:
    log_weight = tf.constant([[np.nan, -np.inf, 0.0], [-90.0, 0.0, np.nan]])
    # Compiled, the largest of some numbers would be NaN.
    picked = tf.function(pick, jit_compile=True)(log_weight, noise_of([1, 2], 3))
    np.testing.assert_array_equal(picked, [1, 1, 0])


@pytest.mark.parametrize(
    ("begun", "lengths", "particles", "message"),
    [
        ([3, 9], None, 4, "expected beginnings shorter than max_length = 9; got 9 steps"),
        ([3, 2], [4, 2], 4, r"expected lengths above .* \[3, 2\]; got \[4, 2\]"),
        ([3, 2], None, 0, "expected num_particles of at least 1; got 0"),
    ],
)
def test_what_cannot_be_continued(
    begun: list[int], lengths: list[int] | None, particles: int, message: str
) -> None:
    model = make_model("af-only", **LEAST_FIELDS)
    with pytest.raises(ValueError, match=message):
        model.complete(np.zeros([2, 9], int), begun, lengths, particles)
