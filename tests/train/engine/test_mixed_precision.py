from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from bijectors import Execution
from tests.models import make_model
from train.backend.split_evaluation import batch_spec
from train.backend.step import TrainStep
from train.engine.settings import LoopSettings

X = np.random.default_rng(0).integers(2, 8, [4, 9]).astype(np.int32)
LENGTHS = np.array([9, 7, 2, 9], np.int32)


def train(name: str, execution: Execution) -> tuple[list[float], keras.Model]:
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    with strategy.scope():
        model = make_model(name, spread=0.3, max_length=12, vocab_size=8)
        model.execution = execution
        optimizer = keras.optimizers.Adam(1e-2)
        optimizer.build(model.trainable_variables)
    settings = LoopSettings(elbo_samples=2, clip_norm=1.0)
    step = TrainStep(settings, model, optimizer, strategy, batch_spec(list(X), len(X)))
    batches = [(tf.constant(X), tf.constant(LENGTHS), tf.range(len(X)))]
    losses = [step(batches, 1.0, k) for k in range(3)]
    return [-float(made.log_prob) for made in losses], model


@pytest.mark.parametrize("name", [pytest.param("codebook", marks=pytest.mark.nightly), "lstm"])
def test_losses_are_those_of_float32_within_rounding(name: str) -> None:
    compiled = name == "lstm"  # Both kinds of loop.
    exact, _ = train(name, Execution(compiled))
    rounded, model = train(name, Execution(compiled, "bfloat16"))
    assert exact[-1] < exact[0]
    assert rounded != exact
    np.testing.assert_allclose(rounded, exact, rtol=0.02)
    assert {str(weight.dtype) for weight in model.trainable_variables} == {"float32"}
