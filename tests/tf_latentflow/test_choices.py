"""Every choice of a flow with every other: a model made of them keeps what all models promise."""

from __future__ import annotations

import itertools
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from bijectors.masks import mask_steps
from bijectors.tables import HIDDEN_STRUCTURES, SCALAR_MAPS, TIME_STRUCTURES
from tests.models import LEAST_TIME_LAYERS, LENGTHS, draw_x, make_model
from tests.pairwise import Combination, combinations, few, parameters
from tf_latentflow import ModelConfig
from tf_latentflow.config.choices import (
    CONDITIONER_INPUTS,
    CONDITIONERS,
    EMITTERS,
    INFERENCE_NETWORKS,
)
from tf_latentflow.noise import noise_of

CHOICES = {
    "scalar": few(SCALAR_MAPS),
    "hidden": tuple(HIDDEN_STRUCTURES),
    "time": tuple(TIME_STRUCTURES),
    "conditioner": (*few(CONDITIONERS), None),
    "conditioner_input": tuple(CONDITIONER_INPUTS),
    "inference": few(INFERENCE_NETWORKS),
    "emitter": few(EMITTERS),
}


def fields(combination: Combination) -> dict[str, object]:
    choices = dict(zip(CHOICES, combination, strict=True))
    return {**choices, "time_layers": LEAST_TIME_LAYERS.get(choices["time"], 1)}


COMBINATIONS = combinations(CHOICES, fields)
# `test_prior_structure.py` has the choices of the prior with each other: here a few priors stand
# for all.
PRIORS = (
    ("mixture:2", "none", "none", None),
    ("nlsq", "scf", "iaf", "lstm"),
    ("spline", "none", "af", "conv:2"),
    ("affine", "af", "coupling", "attention:1"),
)
# Where symbols can be read, they are.
OFTEN = [
    combination
    for combination in COMBINATIONS
    if combination[:4] in PRIORS
    and (combination[4] == "symbols") == (combination[2] == "af" and combination[5] == "codebook")
]


@pytest.mark.parametrize(
    "part", [pytest.param(k, marks=[pytest.mark.nightly] * (k > 0)) for k in range(5)]
)
def test_what_has_no_sense_is_refused_in_words(part: int) -> None:
    sensible = set(COMBINATIONS)
    senseless = [c for c in itertools.product(*CHOICES.values()) if c not in sensible]
    for combination in senseless[part::5]:
        with pytest.raises(ValueError, match=r"^expected [^.]*; got [^.]*$"):
            ModelConfig.from_name("af-af", **fields(combination))


@pytest.mark.parametrize("combination", parameters(COMBINATIONS, OFTEN))
def test_choices_go_together(float64: None, combination: Combination, tmp_path: Path) -> None:
    sizes = {"latent_size": 2, "hidden_size": 8, "num_lstm_layers": 1, "flow_layers": 1}
    sizes["made_sizes"] = (16, 16)  # Of fewer all may be dead at the few steps of this batch.
    choices = fields(combination)
    model, x = make_model("af-af", spread=0.3, **sizes, **choices), draw_x()
    assert model.config == ModelConfig.from_name(
        "af-af", "tiny", vocab_size=6, max_length=9, **sizes, **choices
    )

    with tf.GradientTape() as tape:
        elbo = model.elbo(x, LENGTHS, 2, [1, 2], training=True)
        loss = tf.reduce_sum(elbo.log_prob)
    gradients = tape.gradient(loss, model.trainable_variables)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert gradient is not None, variable.path
        gradient = tf.convert_to_tensor(gradient).numpy()
        assert np.all(np.isfinite(gradient)) and np.any(gradient), variable.path

    # What stands beyond a length changes nothing; another shape would be compiled anew.
    dirty = x.copy()
    for row, length in enumerate(LENGTHS):
        dirty[row, length:] = 1
    soiled = model.elbo(dirty, LENGTHS, 2, [1, 2])
    clean = model.elbo(x, LENGTHS, 2, [1, 2])
    for a, b in zip(clean, soiled, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(a[:, 2], 0.0)

    # `estimate` makes a graph of this, which takes longer to trace than its steps take to run.
    batch, noise = model._batch_of(x, LENGTHS), noise_of(tf.constant([1, 2]), len(LENGTHS))
    estimate = model._estimate(*batch, 2, noise, 2)
    assert np.all(estimate.reconstruction - estimate.kl <= estimate.log_prob + 1e-9)

    # `test_prior_structure.py` maps noise to z and back, which is most of the time of a sample.
    z = mask_steps(model.encode(x, LENGTHS)[0], LENGTHS)
    drawn = model.emit(z, LENGTHS, 1.0, [1, 2]).numpy()
    assert drawn.shape == x.shape and not drawn[1, 3:].any() and not drawn[2].any()

    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.elbo(x, LENGTHS, 2, [1, 2]).log_prob, clean.log_prob)
