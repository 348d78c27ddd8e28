"""p(T): the smoothed histogram."""

from __future__ import annotations

import numpy as np
import pytest

from tf_latentflow import LengthModel


def test_smoothed_histogram() -> None:
    model = LengthModel(5)
    np.testing.assert_allclose(np.exp(model.log_prob([1, 5])), 0.2, rtol=1e-6)
    model.fit([1, 3, 3])
    np.testing.assert_allclose(
        np.exp(model.log_prob([1, 2, 3, 4, 5])), np.array([2, 1, 3, 1, 1]) / 8, rtol=1e-6
    )
    assert np.all(np.isneginf(model.log_prob([0, 6, -1])))
    assert model.longest.numpy() == 3


def test_samples_follow_it() -> None:
    model = LengthModel(4)
    model.fit([2] * 60 + [4] * 36)
    lengths = model.sample(5000, seed=[1, 2]).numpy()
    np.testing.assert_array_equal(lengths, model.sample(5000, seed=[1, 2]))
    frequencies = np.bincount(lengths, minlength=5)[1:] / 5000
    np.testing.assert_allclose(frequencies, [0.01, 0.61, 0.01, 0.37], atol=0.02)


@pytest.mark.parametrize(
    "lengths, message",
    [([], "got none"), ([0, 2], "from 1 to 5; got 0 to 2"), ([6], "from 1 to 5; got 6 to 6")],
)
def test_wrong_lengths_are_refused(lengths: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LengthModel(5).fit(lengths)
