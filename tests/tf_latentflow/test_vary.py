"""Variations of a sequence: noise mixed into the noise of its posterior mean."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.models import LEAST_FIELDS, LENGTHS, draw_x, make_model
from tf_latentflow.conditional import variation


def test_from_the_reconstruction_to_a_sequence_that_forgot_it() -> None:
    model = make_model("af-only", spread=0.3, emission="bernoulli", **LEAST_FIELDS)
    model.symbols.bias.assign(tf.zeros(6))
    x, lengths = np.repeat(draw_x(emission="bernoulli"), 30, axis=0), np.repeat(LENGTHS, 30)

    def vary(amount: float, seed: tuple[int, int] = (1, 2), **kwargs: float) -> np.ndarray:
        varied = model.vary(x, lengths, amount, seed, **kwargs).numpy()
        assert varied.shape == x.shape and varied.dtype == np.int32
        assert not np.any(varied[30:60, 3:]) and not np.any(varied[60:])
        return varied

    mean, _ = model.encode(x, lengths)
    still = vary(0.0)
    expected = model.emit(mean, tf.constant(lengths))
    np.testing.assert_array_equal(still, expected)
    assert 0 < np.mean(still[0]) < 1
    changed = [np.mean(vary(amount) != still) for amount in (0.1, 0.5, 1.0)]
    assert 0 < changed[0] < changed[1] < changed[2]
    np.testing.assert_array_equal(vary(0.5), vary(0.5))
    assert np.any(vary(0.0, (1, 2), temperature=3.0) != vary(0.0, (3, 4), temperature=3.0))
    forgotten = vary(1.0)
    x = 1 - x
    np.testing.assert_array_equal(vary(1.0), forgotten)
    assert np.any(vary(0.0) != still)


@pytest.mark.parametrize("amount", [0.0, 0.3, 1.0])
def test_the_noise_stays_standard_normal(amount: float, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model("af-af")
    eps = tf.random.stateless_normal([400, 5, 3], [5, 6])
    monkeypatch.setattr(variation, "_noise_of", lambda model, x, lengths: eps)
    monkeypatch.setattr(variation, "_decode", lambda model, eps, *_: eps)
    varied = model.vary(np.zeros([400, 5], int), np.full(400, 5), amount, [1, 2])
    assert np.std(varied) == pytest.approx(1, abs=0.03)
    correlation = np.corrcoef(np.ravel(eps), np.ravel(varied))[0, 1]
    assert correlation == pytest.approx(np.sqrt(1 - amount**2), abs=0.03)


@pytest.mark.parametrize("amount", [-0.1, 1.1, float("nan")])
def test_other_amounts_are_refused(amount: float) -> None:
    with pytest.raises(ValueError, match="expected an amount from 0 to 1; got"):
        make_model("af-only").vary(draw_x(), LENGTHS, amount)


def test_interpolation_is_linear_in_the_noise_and_the_length(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    eps = np.random.default_rng(0).normal(size=(2, 9, 3)).astype(np.float32)
    monkeypatch.setattr(
        variation, "_noise_of", lambda model, x, lengths: tf.constant(eps[:, : x.shape[1]])
    )
    monkeypatch.setattr(variation, "_decode", lambda model, eps, *_: eps)
    mixed, lengths = make_model("af-af").interpolate([2] * 5, 5, [3] * 2, 2, 5)
    assert lengths.numpy().tolist() == [5, 4, 4, 3, 2]  # 4.25, 3.5 and 2.75, rounded.
    first, last = eps[:, :5]
    weight = np.array([0, 0.25, 0.5, 0.75, 1])[:, None, None]
    expected = (1 - weight) * first + weight * last
    expected *= (np.arange(5) < lengths.numpy()[:, None])[..., None]
    np.testing.assert_allclose(mixed, expected, atol=1e-6)
