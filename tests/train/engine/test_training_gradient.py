"""The gradient that a training follows is that of the objective that it reports, with dropout."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.models import draw_x, make_model, rows
from train.data.music.config import MusicConfig

RATES = ("dropout", "posterior_dropout", "emitter_dropout")


@pytest.mark.parametrize("name", rows(["af-af", "iaf-scf", "lstm"]))
@pytest.mark.parametrize("preset", ["small", pytest.param("paper", marks=pytest.mark.nightly)])
def test_it_is_the_slope_of_the_bound(float64: None, preset: str, name: str) -> None:
    config = MusicConfig.from_preset(preset, name).model_config()
    rates = {rate: getattr(config, rate) for rate in RATES}
    model, x = make_model(name, emission="bernoulli", **rates), draw_x(emission="bernoulli")
    rng = np.random.default_rng(0)
    directions = [rng.normal(size=v.shape) for v in model.trainable_variables]

    @tf.function
    def loss() -> tf.Tensor:
        elbo = model.elbo(x, [5, 4, 3], num_samples=2, seed=[1, 2], training=True)
        return tf.reduce_sum(0.7 * elbo.kl - elbo.reconstruction)

    def moved(step: float) -> float:
        for variable, direction in zip(model.trainable_variables, directions, strict=True):
            variable.assign_add(step * direction)
        return float(loss())

    with tf.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, [v.value for v in model.trainable_variables])
    slope = sum(
        np.sum(tf.convert_to_tensor(g) * d) for g, d in zip(gradients, directions, strict=True)
    )
    step = 1e-5
    ahead, behind = moved(step), moved(-2 * step)
    np.testing.assert_allclose(slope, (ahead - behind) / (2 * step), rtol=1e-5)
