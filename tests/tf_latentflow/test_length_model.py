"""p(T): the histogram of lengths, smoothed where it has gaps."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tf_latentflow import LengthModel

_SHARED = 0.05


def probabilities(model: LengthModel) -> np.ndarray:
    return np.exp(model.log_prob(np.arange(1, model.max_length + 1)).numpy().astype(float))


def test_one_count_of_a_seen_length_is_shared_with_the_gap_below_it() -> None:
    model = LengthModel(8)
    np.testing.assert_allclose(probabilities(model), 1 / 8, rtol=1e-6)
    model.fit([2, 3, 3, 3, 6, 6])
    smoothed = np.array([1 / 2, 1 / 2, 3, 1 / 3, 1 / 3, 1 + 1 / 3, 0, 0]) + _SHARED / 8
    np.testing.assert_allclose(probabilities(model), smoothed / (6 + _SHARED), rtol=1e-5)
    assert np.all(np.isneginf(model.log_prob([0, 9, -1])))
    assert model.longest.numpy() == 6


def test_it_is_the_histogram_where_every_length_was_seen() -> None:
    model = LengthModel(50)
    lengths = np.tile(np.arange(1, 51), 40)
    model.fit(np.concatenate([lengths, lengths[lengths > 20]]))
    expected = np.where(np.arange(1, 51) > 20, 80, 40) / (40 * 50 + 40 * 30)
    np.testing.assert_allclose(probabilities(model), expected, rtol=1e-4)


@pytest.mark.parametrize("num_lengths", [1, 2, 50, 1000, 100_000])
@pytest.mark.parametrize("max_length", [1, 12, 288, 5000])
def test_every_length_has_a_probability_and_they_sum_to_one(
    num_lengths: int, max_length: int
) -> None:
    rng = np.random.default_rng([num_lengths, max_length])
    model = LengthModel(max_length)
    model.fit(rng.integers(1 + max_length // 3, max(2, max_length - max_length // 4), num_lengths))
    found = probabilities(model)
    assert found.min() > 0
    assert found.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("outlier", [None, 200])
def test_few_names_have_no_long_samples(outlier: int | None) -> None:
    rng = np.random.default_rng(0)
    names = rng.integers(4, 13, 1000)
    if outlier:
        names[0] = outlier
    model = LengthModel(288)
    model.fit(names)
    found = probabilities(model)
    assert found[names.max() :].sum() < 1e-4
    # One name of 200 letters says nothing about 100 of them.
    assert found[12:].sum() < (2.1e-3 if outlier else 1e-4)
    samples = model.sample(20_000, seed=[1, 2]).numpy()
    assert np.mean(samples > 12) < (4e-3 if outlier else 1e-3)
    np.testing.assert_allclose(
        found[3:12], np.bincount(names, minlength=13)[4:13] / 1000, atol=2e-3
    )


def test_unseen_lengths_are_likely_where_hardly_any_was_seen_twice() -> None:
    """As in a set of 87 pieces of up to 4,000 steps."""
    rng = np.random.default_rng(0)
    lengths = np.exp(rng.normal(6.5, 0.7, 2000)).astype(int).clip(100, 3999)
    fitted, others = lengths[:87], lengths[87:]
    model = LengthModel(5000)
    model.fit(fitted)
    found = model.log_prob(others[others <= fitted.max()]).numpy().astype(float)
    assert found.mean() > np.log(1 / 5000)  # Uniform.
    additive = (np.bincount(fitted, minlength=5001) + 1) / (87 + 5000)
    assert found.mean() > np.log(additive[others[others <= fitted.max()]]).mean()


def test_samples_follow_it() -> None:
    model = LengthModel(4)
    model.fit([2] * 61 + [4] * 37)
    lengths = model.sample(5000, seed=[1, 2]).numpy()
    np.testing.assert_array_equal(lengths, model.sample(5000, seed=[1, 2]))
    frequencies = np.bincount(lengths, minlength=5)[1:] / 5000
    np.testing.assert_allclose(frequencies, [0.005, 0.617, 0.005, 0.372], atol=0.02)


@pytest.mark.parametrize(
    "uniform, expected", [(0.0, [1, 3, 5]), (0.45, [3, 4, 5]), (1.0, [5, 5, 5])]
)
def test_a_chosen_length_is_longer_than_another_whatever_the_number(
    uniform: float, expected: list[int]
) -> None:
    model = LengthModel(5)
    found = model.choose(tf.fill([2, 3], uniform), tf.constant([0, 2, 4]))
    np.testing.assert_array_equal(found, [expected] * 2)


@pytest.mark.parametrize(
    "lengths, message",
    [([], "got none"), ([0, 2], "from 1 to 5; got 0 to 2"), ([6], "from 1 to 5; got 6 to 6")],
)
def test_wrong_lengths_are_refused(lengths: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LengthModel(5).fit(lengths)


def test_there_is_a_longest_length() -> None:
    with pytest.raises(ValueError, match="expected max_length of at least 1; got 0"):
        LengthModel(0)
