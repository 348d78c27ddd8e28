"""The prior's density at a step of a text: on a grid, at its modes, and on TensorBoard."""

from __future__ import annotations

import math
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import make_model
from tests.tensorboard import shown
from tests.train.samples.text_models import CHARACTERS, SENTENCES, SIZES, ids, plane_model
from train.backend.board import Board
from train.data.text.config import TextConfig
from train.samples import text as samples
from train.samples.prior_densities import densities
from train.samples.prior_densities.densities import step_log_prob
from train.samples.prior_densities.pictures import densities_png


@pytest.mark.parametrize("name", ["af-af", "af-scf", "iaf-scf", "af-only", "af-indep-affine"])
def test_the_steps_of_a_sequence_add_up_to_its_density(name: str) -> None:
    model = plane_model(name)
    z = tf.random.stateless_normal([1, 9, 2], [0, 1])
    lengths = tf.constant([9])
    log_probs = step_log_prob(model.prior.step_bijector(z, lengths, range(9)), z)
    assert log_probs.shape == (1, 9)
    expected = model.prior.log_prob(z, lengths).numpy()
    np.testing.assert_allclose(log_probs.sum(axis=1), expected, rtol=1e-5)


def sampled(model: keras.Model, x: np.ndarray, seed: int) -> tf.Tensor:
    mean, std = model.encode(x[None], [len(x)])
    z_seed = tf.random.split(tf.constant([seed, 0], tf.int32))[0]
    return mean + std * tf.random.stateless_normal(tf.shape(mean), z_seed)


def test_densities_on_a_grid() -> None:
    model = plane_model()
    x = ids(model, "on a pier")
    found = densities.prior_densities(model, x, [4, 8], seed=3, size=40)
    assert [density.step for density in found] == [4, 8]
    for density in found:
        assert density.mass == pytest.approx(1, abs=0.02)
        assert np.array_equal(density.x, found[0].x)
    # Nothing follows the last step: there the density of the whole differs by this step alone.
    last = found[1]
    z = sampled(model, x, seed=3)
    np.testing.assert_allclose(z[0, 8], last.z, rtol=1e-5)
    moved = z.numpy().repeat(2, axis=0)
    moved[:, 8] = [[last.x[5], last.y[30]], last.z]
    here, there = model.prior.log_prob(moved, [9, 9]).numpy()
    assert math.log(last.values[30, 5]) - last.log_density == pytest.approx(here - there, abs=1e-3)


def test_modes_bear_the_character_that_the_emitter_has_there() -> None:
    model = plane_model()
    x = ids(model, "on a pier")
    (density,) = densities.prior_densities(model, x, [6], seed=0, size=30)
    assert density.modes
    lengths = tf.constant([9])
    for mode in density.modes:
        moved = sampled(model, x, seed=0).numpy()
        moved[0, 6] = mode.z
        logits = model.logits(moved, lengths)[0, 6]
        names = ("", "\N{REPLACEMENT CHARACTER}", *CHARACTERS)
        assert mode.character == names[np.argmax(logits)]
        assert density.values.max() >= mode.density > 0
        assert 0.02 <= mode.mass <= 1.02


def test_a_prior_that_overflows_has_a_picture_all_the_same() -> None:
    model = make_model("af-af", 2.0, **{**SIZES, "latent_size": 2})
    (density,) = densities.prior_densities(model, ids(model, "a"), [0], seed=0, size=8)
    assert density.modes == []
    assert densities_png([density], "a")


def test_only_points_of_a_plane_that_depend_on_earlier_ones_alone_have_densities() -> None:
    others = (make_model("af-af", **SIZES), make_model("lstm", **SIZES))
    for model in (*others, plane_model(time="coupling", time_layers=2)):
        assert not densities.has_step_densities(model.config)
        with pytest.raises(ValueError, match="expected a causal flow with latent_size 2; got"):
            densities.prior_densities(model, np.array([2, 3], np.int32), [0], seed=0, size=8)


def tags(
    model: keras.Model, directory: Path, monkeypatch: pytest.MonkeyPatch, matplotlib: bool = True
) -> set[str]:
    """What TensorBoard has after a validation of a model; drawing samples is not of interest."""
    monkeypatch.setattr(type(model), "sample_texts", lambda *_, **__: ["a"])
    monkeypatch.setattr(samples, "find_spec", lambda name: matplotlib or None)
    board = Board(directory, TextConfig.unit)
    valid = [ids(model, text) for text in SENTENCES]
    config = TextConfig.from_preset("tiny")
    samples.TextSamples().show(model.config, valid, config)(model, board, 5)
    board.flush()
    return {value.tag for _, _, value in shown(directory)}


@pytest.mark.nightly
def test_tensorboard_shows_densities_of_a_plane(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plane = plane_model()
    texts = {"samples", "reconstructions"}
    assert tags(plane, tmp_path / "a", monkeypatch) == {*texts, "prior_densities"}
    assert tags(plane, tmp_path / "b", monkeypatch, matplotlib=False) == texts
    assert tags(make_model("af-af", **SIZES), tmp_path / "c", monkeypatch) == texts
    assert tags(make_model("lstm", **SIZES), tmp_path / "d", monkeypatch) == {"samples"}
    assert tags(plane_model("multiscale"), tmp_path / "e", monkeypatch) == texts
