"""Importance sampling: any number of samples, in chunks."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.models import LEAST_FIELDS, draw_x, make_model
from tf_latentflow import LatentFlow, Terms

LENGTHS = tf.constant([2, 1])


def draw_batch() -> tf.Tensor:
    return tf.constant(draw_x(num_steps=2, batch=2))


class Table:
    """The noise of sample k is `table[k]`, and NaN from the last on; notes its calls."""

    def __init__(self, table: np.ndarray) -> None:
        self._table = table
        self._index = 0
        self.chunks: list[int] = []

    def fold(self, index: tf.Tensor) -> Table:
        self._index = int(index)
        return self

    def normal(self, shape: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
        chunk = int(shape[0])
        self.chunks.append(chunk)
        start = self._index * chunk
        beyond = np.full([chunk, *self._table.shape[1:]], np.nan)
        return tf.constant(np.concatenate([self._table, beyond])[start : start + chunk], dtype)


def draw_table(model: LatentFlow, num_samples: int) -> np.ndarray:
    shape = [num_samples, *draw_batch().shape, model.config.latent_size]
    return np.random.default_rng(2).normal(size=shape)


@pytest.mark.parametrize("num_samples", [1, 10, 11, 22, 47])
def test_any_number_of_samples_gives_their_mean(float64: None, num_samples: int) -> None:
    model, x = make_model("af-only", spread=0.3, **LEAST_FIELDS), draw_batch()
    table = draw_table(model, num_samples)
    found = model._estimate(x, LENGTHS, num_samples, Table(table), 10)
    by_step = model._elbo(x, LENGTHS, model._posterior(x, LENGTHS), tf.constant(table))
    at_once = Terms(*(tf.reduce_sum(term, axis=-1) for term in by_step))
    weights = np.exp(at_once.reconstruction - at_once.kl)
    np.testing.assert_allclose(found.log_prob, np.log(weights.mean(axis=0)), rtol=1e-6)
    np.testing.assert_allclose(found.reconstruction, np.mean(at_once.reconstruction, 0), rtol=1e-6)
    np.testing.assert_allclose(found.kl, np.mean(at_once.kl, 0), rtol=1e-6)


@pytest.mark.parametrize("most", [5, 10])
def test_a_number_of_samples_costs_in_proportion(most: int) -> None:
    model, x = make_model("af-only", **LEAST_FIELDS), draw_batch()
    for num_samples in (1, 7, 11, 23, 47):
        noise = Table(draw_table(model, num_samples))
        model._estimate(x, LENGTHS, num_samples, noise, most)
        assert max(noise.chunks) <= most
        assert sum(noise.chunks) < num_samples + len(noise.chunks)
        assert len(noise.chunks) <= 1 + 2 * num_samples / most


@pytest.mark.parametrize(
    ("num_samples", "chunk"), [(50, 10), (25, 5), (24, 8), (12, 6), (8, 8), (7, 7), (1, 1)]
)
def test_numbers_that_divide_keep_their_chunks(num_samples: int, chunk: int) -> None:
    """And so the noise, and the results, that they always had."""
    model, x = make_model("af-only", **LEAST_FIELDS), draw_batch()
    noise = Table(draw_table(model, num_samples))
    model._estimate(x, LENGTHS, num_samples, noise, 10)
    assert noise.chunks == [chunk] * (num_samples // chunk)


def test_numbers_of_numpy_are_numbers() -> None:
    model, x = make_model("af-only", **LEAST_FIELDS), draw_batch()
    expected = model.estimate(x, LENGTHS, 3, seed=0, most_at_once=2)
    found = model.estimate(x, LENGTHS, np.int64(3), seed=0, most_at_once=np.int64(2))
    np.testing.assert_array_equal(found.log_prob, expected.log_prob)
    with pytest.raises(ValueError, match="expected num_samples that is a whole number; got 2.5"):
        model.estimate(x, LENGTHS, 2.5)
