"""Figures 3 and 6 of the paper: what comes next along a word, and the prior's densities there."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import tensorflow as tf

from tests.models import make_model
from tests.train.samples.text_models import CHARACTERS, SENTENCES, SIZES, ids, plane_model
from train.data.text.corpus import load_corpus
from train.paper.figures import next_character, prior_densities
from train.paper.job import Drawing, Job


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Two runs, untrained."""
    folder = tmp_path_factory.mktemp("runs")
    data = folder / "data"
    data.mkdir()
    for split in ("train", "valid", "test"):
        (data / f"{split}.txt").write_text("\n".join(SENTENCES))
    models = {"lstm": make_model("lstm", 0.3, **SIZES), "af-af-h2": plane_model()}
    runs = {name: (model, load_corpus(str(data))) for name, model in models.items()}
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


def test_probabilities_of_the_next_character() -> None:
    model = make_model("lstm", 0.3, **SIZES)
    model.length_model.fit(np.array([3, 7]))
    x = ids(model, "in a group")
    found = next_character.next_probabilities(model, x)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    expected = model.elbo(x[None], [len(x)]).reconstruction.numpy().item()
    log_prob = np.log(found[np.arange(len(x)), x]).sum()
    assert log_prob == pytest.approx(expected, rel=1e-5)


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
