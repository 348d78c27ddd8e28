"""Calls of many lengths are compiled a few times, and answered as if each had its own shape."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.models import LEAST_FIELDS, make_model
from tf_latentflow.conditional import variation
from tf_latentflow.interfaces.inputs import pad_steps, rounded_steps

X = np.random.default_rng(0).integers(2, 6, (2, 8)).astype(np.int32)


def test_numbers_of_steps_are_rounded_up_as_far_as_models_go() -> None:
    found = [rounded_steps(n, 100) for n in (0, 1, 2, 3, 4, 5, 8, 9, 64, 65, 100, 101)]
    assert found == [1, 1, 2, 4, 4, 8, 8, 16, 64, 100, 100, 101]


def test_what_is_padded_is_zero() -> None:
    padded = pad_steps(tf.ones([2, 3, 4], tf.bool), 5).numpy()
    assert padded.shape == (2, 5, 4) and padded[:, :3].all() and not padded[:, 3:].any()


@pytest.mark.parametrize("name", ["lstm", pytest.param("af-only", marks=pytest.mark.nightly)])
def test_lengths_that_are_rounded_alike_are_compiled_once(name: str) -> None:
    model = make_model(name, max_length=20, **({} if name == "lstm" else LEAST_FIELDS))
    drawn = {n: model.sample([n, 3], 1.0, [1, 2]).numpy() for n in (7, 8, 5, 3)}
    assert model._compiled(type(model)._sample).experimental_get_tracing_count() == 2
    for n, rows in drawn.items():
        assert rows.shape == (2, n) and rows.dtype == np.int32
        np.testing.assert_array_equal(rows[1], drawn[8][1, :n])
        assert rows[1, :3].any() and not rows[1, 3:].any()
    np.testing.assert_array_equal(drawn[7][0], drawn[8][0, :7])

    for begun, lengths in (([5, 3], [7, 8]), ([6, 2], [8, 5])):
        x, found = model.complete(X[:, : begun[0]], begun, lengths, 2, seed=[1, 2])
        assert found.numpy().tolist() == lengths and x.shape == (2, 8)
        for row, given, k in zip(x.numpy(), X, begun, strict=True):
            np.testing.assert_array_equal(row[:k], given[:k])
    assert model._compiled(type(model)._complete).experimental_get_tracing_count() == 1


def test_variations_of_similar_lengths_are_compiled_once() -> None:
    model = make_model("af-only", max_length=20, **LEAST_FIELDS)
    for n in (7, 8):
        assert model.vary(X[:, :n], [n, 3], 0.5, [1, 2]).shape == (2, n)
        between, lengths = model.interpolate(X[0], n, X[1], 5, steps=2)
        assert between.shape == (2, n) and lengths.numpy().tolist() == [n, 5]
    for function in (variation._noise_of, variation._decode):
        assert model._compiled(function).experimental_get_tracing_count() == 1
