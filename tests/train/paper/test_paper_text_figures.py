"""Figures 3 and 6 of the paper: what comes next along a word, and the prior's densities there."""

from __future__ import annotations

import json
import math
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import make_model
from tf_latentflow import Vocabulary
from train.backend.board import Board
from train.data.text.config import TextConfig
from train.data.text.corpus import load_corpus
from train.paper.figures import densities, next_character, prior_densities
from train.paper.figures.densities import step_log_prob
from train.paper.figures.modes import find_modes
from train.paper.figures.passage import as_code, find_passage, visible
from train.paper.figures.text_pictures import densities_png
from train.paper.job import Drawing, Job, Trained
from train.samples import text as samples

CHARACTERS = tuple(" abeginoprsu")
SENTENCES = (
    "a bear",
    "a bear in a group",
    "no pines and big groups on a pier",
    "in spruce bearing",
)
SIZES = {"vocab_size": len(CHARACTERS) + 2, "max_length": 40, "vocabulary": CHARACTERS}


def plane_model(name: str = "af-af", **overrides: object) -> keras.Model:
    model = make_model(name, 0.3, **{**SIZES, "latent_size": 2, **overrides})
    model.length_model.fit(np.array([3, 7]))  # Fewer positions than the sentences have steps.
    return model


def ids(model: keras.Model, text: str) -> np.ndarray:
    return Vocabulary(model.config.vocabulary).encode(text)


@pytest.mark.parametrize("name", ["af-af", "af-scf", "iaf-scf", "af-only", "af-indep-affine"])
def test_the_steps_of_a_sequence_add_up_to_its_density(name: str) -> None:
    model = plane_model(name)
    z = tf.random.stateless_normal([1, 9, 2], [0, 1])
    lengths = tf.constant([9])
    log_probs = step_log_prob(model.prior.step_bijector(z, lengths, range(9)), z)
    assert log_probs.shape == (1, 9)
    expected = model.prior.log_prob(z, lengths).numpy()
    np.testing.assert_allclose(log_probs.sum(axis=1), expected, rtol=1e-5)


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


def sampled(model: keras.Model, x: np.ndarray, seed: int) -> tf.Tensor:
    mean, std = model.encode(x[None], [len(x)])
    z_seed = tf.random.split(tf.constant([seed, 0], tf.int32))[0]
    return mean + std * tf.random.stateless_normal(tf.shape(mean), z_seed)


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


def test_only_points_of_a_plane_have_densities() -> None:
    for model in (make_model("af-af", **SIZES), make_model("lstm", **SIZES)):
        with pytest.raises(ValueError, match="expected a flow with latent_size 2; got"):
            densities.prior_densities(model, np.array([2, 3], np.int32), [0], seed=0, size=8)


def bumps(*parts: tuple[float, float, float, float], size: int = 60) -> tuple[np.ndarray, float]:
    """A mixture of Gaussians, `(weight, x, y, spread)` each, on a grid over [-4, 4]^2."""
    axis = np.linspace(-4, 4, size)
    x, y = np.meshgrid(axis, axis)
    density = np.zeros([size, size])
    for weight, a, b, spread in parts:
        squares = ((x - a) ** 2 + (y - b) ** 2) / spread**2
        density += weight * np.exp(-squares / 2) / (2 * np.pi * spread**2)
    return density, (axis[1] - axis[0]) ** 2


def test_modes_of_a_mixture() -> None:
    density, area = bumps((0.5, -2, 1, 0.5), (0.3, 2, 1, 0.4), (0.2, 0, -2, 0.3))
    axis = np.linspace(-4, 4, 60)
    found = find_modes(density, area)
    assert len(found) == 3
    for (index, mass), (weight, x, y) in zip(
        found, [(0.5, -2, 1), (0.3, 2, 1), (0.2, 0, -2)], strict=True
    ):
        row, column = np.unravel_index(index, density.shape)
        assert (axis[column], axis[row]) == pytest.approx((x, y), abs=0.08)
        assert mass == pytest.approx(weight, abs=0.01)


def test_a_plateau_and_a_ripple_are_one_mode() -> None:
    density, area = bumps((1.0, 0, 0, 1.0))
    flat = np.minimum(density, 0.1)
    ((_, mass),) = find_modes(flat, area)
    assert mass == pytest.approx(flat.sum() * area)
    wide, area = bumps((1.0, 0, 0, 2.0))
    ripple = wide * (1 + 0.02 * np.cos(np.arange(60) * 1.5))
    assert len(find_modes(ripple, area, dip=0.0)) > 1
    ((_, mass),) = find_modes(ripple, area)
    assert mass == pytest.approx(ripple.sum() * area)
    ((_, mass),) = find_modes(np.ones([5, 5]), 1 / 25)
    assert mass == pytest.approx(1)


def test_probabilities_of_the_next_character() -> None:
    model = make_model("lstm", 0.3, **SIZES)
    model.length_model.fit(np.array([3, 7]))
    x = ids(model, "in a group")
    found = next_character.next_probabilities(model, x)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    expected = model.elbo(x[None], [len(x)]).reconstruction.numpy().item()
    log_prob = np.log(found[np.arange(len(x)), x]).sum()
    assert log_prob == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("sentences", "text", "index"),
    [
        (["a bears b", "groups of", "of groups in", " groups "], " groups ", 2),
        (["bears", "4 bears too", "a b"], " bears ", 1),
        (["", "a cat runs"], "a cat ru", 1),
        (["", "a\tb"], "a\tb", 1),
    ],
)
def test_the_rule_for_a_word(sentences: list[str], text: str, index: int) -> None:
    passage = find_passage(sentences)
    assert (passage.text, passage.index, passage.sentence) == (text, index, sentences[index])


def test_no_word_without_a_character() -> None:
    with pytest.raises(ValueError, match="expected a sentence with a character; got 2"):
        find_passage(["", ""])


def test_every_character_can_be_shown() -> None:
    assert visible("a $\t\N{SNOWMAN}\N{GREEK SMALL LETTER PI}") == "a␣$<9><2603>π"
    assert [as_code(c) for c in (" ", "|", "`")] == ["`␣`", "`\\|`", "`` ` ``"]


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Two runs, untrained."""
    folder = tmp_path_factory.mktemp("runs")
    data = folder / "data"
    data.mkdir()
    for split in ("train", "valid", "test"):
        (data / f"{split}.txt").write_text("\n".join(SENTENCES))
    models = {"lstm": make_model("lstm", 0.3, **SIZES), "af-af-h2": plane_model()}
    runs = {name: Trained(model, load_corpus(str(data))) for name, model in models.items()}
    return Job("tiny", 0, runs.__getitem__, folder)


def check(drawing: Drawing) -> list[dict]:
    """The steps of a figure along the word of the sentences."""
    png = drawing.picture
    assert tf.io.decode_png(png, channels=3).numpy().std() > 0
    numbers = json.loads(json.dumps(drawing.numbers, allow_nan=False))
    assert (numbers["string"], numbers["sentence"]) == (" groups ", SENTENCES[2])
    assert [step["character"] for step in numbers["steps"]] == list(" groups ")
    assert [step["t"] for step in numbers["steps"]] == list(range(16, 24))
    assert drawing.text.count("\n| ") == 9  # A head, and a line a step.
    return numbers["steps"]


def test_figure_3(jobs: Job) -> None:
    for step in check(next_character.draw(jobs)):
        probabilities = step["probabilities"]
        assert sum(probabilities) == pytest.approx(1, abs=1e-5)
        assert step["probability"] == probabilities[2 + CHARACTERS.index(step["character"])]
        assert step["num_probable"] == sum(p > 0.1 for p in probabilities)
        entropy = -sum(p * math.log2(p) for p in probabilities)
        assert step["entropy_bits"] == pytest.approx(entropy, abs=1e-5)


def test_figure_6(jobs: Job) -> None:
    for step in check(prior_densities.draw(jobs)):
        assert step["mass_shown"] == pytest.approx(1, abs=0.03)
        masses = [mode["mass"] for mode in step["modes"]]
        assert masses == sorted(masses, reverse=True)
        assert 0.5 < sum(masses) < 1.03


def tags(
    model: keras.Model, directory: Path, monkeypatch: pytest.MonkeyPatch, matplotlib: bool = True
) -> set[str]:
    """What TensorBoard has after a validation of a model; drawing samples is not of interest."""
    monkeypatch.setattr(samples, "draw_texts", lambda *_, **__: ["a"])
    monkeypatch.setattr(samples, "find_spec", lambda name: matplotlib or None)
    board = Board(directory, TextConfig.unit)
    valid = [ids(model, text) for text in SENTENCES]
    config = TextConfig.from_preset("tiny")
    samples.TextSamples().show(model.config, valid, config)(model, board, 5)
    board.flush()
    (path,) = (directory / "valid").iterdir()
    events = map(
        tf.compat.v1.Event.FromString, tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    )
    return {value.tag for event in events for value in event.summary.value}


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
