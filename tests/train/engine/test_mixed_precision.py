from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import make_model
from tf_latentflow import compiled_loops
from train.backend.batches import batch_spec
from train.backend.step import TrainStep

X = np.random.default_rng(0).integers(2, 8, [4, 9]).astype(np.int32)
LENGTHS = np.array([9, 7, 2, 9], np.int32)


def train(name: str, mixed_precision: bool) -> tuple[list[float], keras.Model]:
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    with strategy.scope():
        model = make_model(name, spread=0.3, max_length=12, vocab_size=8)
        optimizer = keras.optimizers.Adam(1e-2)
        optimizer.build(model.trainable_variables)
    step = TrainStep(
        model,
        optimizer,
        strategy,
        elbo_samples=2,
        clip_norm=1.0,
        accumulation_steps=1,
        seed=0,
        jit=False,
        mixed_precision=mixed_precision,
        batch_spec=batch_spec(list(X), len(X)),
    )
    batches = [(tf.constant(X), tf.constant(LENGTHS))]
    losses = [step(batches, 1.0, k) for k in range(3)]
    return [float(terms.reconstruction + terms.kl) for terms in losses], model


@pytest.mark.parametrize("name", ["af-af", "lstm"])
def test_losses_are_those_of_float32_within_rounding(name: str) -> None:
    with compiled_loops(name == "lstm"):  # Both kinds of loop.
        exact, _ = train(name, mixed_precision=False)
        rounded, model = train(name, mixed_precision=True)
    assert exact[-1] < exact[0]
    assert rounded != exact
    np.testing.assert_allclose(rounded, exact, rtol=0.02)
    assert {str(weight.dtype) for weight in model.trainable_variables} == {"float32"}
