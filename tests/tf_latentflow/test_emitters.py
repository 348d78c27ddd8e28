"""Emitters: which latents the probabilities of a step depend on."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models import make_model
from tf_latentflow.noise import noise_of


@pytest.mark.parametrize("emitter", ["bilstm", "conv:2"])
def test_an_emitter_reads_no_padding(float64: None, emitter: str) -> None:
    model = make_model("af-only", spread=0.5, emitter=emitter, inference="local")
    z, lengths = np.random.default_rng(0).normal(size=(2, 5, 3)), np.array([3, 3])
    z[1] = z[0]
    z[1, 3:] = 7.0
    beside, padded = model.logits(z, lengths)
    np.testing.assert_allclose(padded[:3], beside[:3], rtol=1e-10)
    alone = model.logits(z[:1, :3], lengths[:1])[0]
    np.testing.assert_allclose(alone, beside[:3], rtol=1e-10)


def test_the_states_of_an_emitter_are_those_of_other_steps(float64: None) -> None:
    model = make_model("af-only", spread=0.5, emitter="bilstm", inference="local")
    kernel = model.emitter.linear.kernel.numpy()
    kernel[: model.config.latent_size] = 0.0  # Of the step itself.
    model.emitter.linear.kernel.assign(kernel)
    z = np.random.default_rng(0).normal(size=(2, 5, model.config.latent_size))
    z[1] = z[0]
    z[1, 2] += 1.0
    one, other = model.logits(z, np.array([5, 5]))
    assert np.any(one != other, axis=-1).tolist() == [True, True, False, True, True]


def test_dropout_of_an_emitter_spares_the_latents_of_the_step() -> None:
    model = make_model(
        "af-only", spread=0.5, emitter="conv:1", inference="local", emitter_dropout=0.5
    )
    z, lengths = np.random.default_rng(0).normal(size=(1, 5, 3)).astype("f"), np.array([5])
    size, kernel = model.config.latent_size, model.emitter.linear.kernel.numpy()
    dropped = []
    for part in (slice(size), slice(size, None)):  # Only the states, and only z.
        silent = kernel.copy()
        silent[part] = 0.0
        model.emitter.linear.kernel.assign(silent)
        logits = (model.logits(z, lengths, noise) for noise in (None, noise_of([1, 2], 1)))
        dropped.append(bool(np.any(np.subtract(*logits))))
    assert dropped == [True, False]
