"""`FusedAdam` is Adam as Keras has it."""

from __future__ import annotations

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from train.backend.devices import update_weights
from train.backend.optimizers import APPLY_SETTINGS, FusedAdam


def test_weights_and_moments_are_those_of_keras() -> None:
    optimizers, weights = [], []
    for kind in (keras.optimizers.Adam, FusedAdam):
        variables = [keras.Variable(np.ones(shape, np.float32)) for shape in ([3, 4], [2])]
        optimizer = kind(0.5, beta_1=0.7, beta_2=0.9, epsilon=1e-3)
        optimizer.build(variables)
        optimizers.append(optimizer)
        weights.append(variables)
    rng = np.random.default_rng(0)
    for step in range(5):
        optimizers[0].learning_rate.assign(0.5 / (step + 1))
        optimizers[1].learning_rate.assign(0.5 / (step + 1))
        gradients = [rng.standard_normal(v.shape).astype(np.float32) for v in weights[0]]
        for optimizer, variables in zip(optimizers, weights, strict=True):
            for gradient, variable in zip(gradients, variables, strict=True):
                rate = tf.convert_to_tensor(optimizer.learning_rate)
                optimizer.update_step(tf.constant(gradient), variable.value, rate)
            optimizer.iterations.assign_add(1)
    assert len(optimizers[0].variables) == len(optimizers[1].variables)
    states = [
        [*variables, *optimizer.variables]
        for optimizer, variables in zip(optimizers, weights, strict=True)
    ]
    for expected, value in zip(*states, strict=True):
        np.testing.assert_allclose(value.numpy(), expected.numpy(), rtol=1e-5, atol=1e-7)
    assert not np.allclose(weights[1][0].numpy(), 1, atol=0.1)


def test_what_the_operation_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="expected Adam without amsgrad; got amsgrad=True"):
        FusedAdam(0.1, amsgrad=True)


SETTINGS = {
    "weight_decay": 0.1,
    "clipnorm": 1.0,
    "clipvalue": 1.0,
    "global_clipnorm": 1.0,
    "use_ema": True,
    "loss_scale_factor": 2.0,
    "gradient_accumulation_steps": 2,
}


@pytest.mark.parametrize("name", APPLY_SETTINGS)
def test_what_only_apply_does_is_refused(name: str) -> None:
    refused = f"expected an optimiser without {name}, .*; got {name}={SETTINGS[name]}"
    with pytest.raises(ValueError, match=refused):
        FusedAdam(0.1, **{name: SETTINGS[name]})
    variable = keras.Variable([1.0])
    sgd = keras.optimizers.SGD(0.1, **{name: SETTINGS[name]})
    sgd.build([variable])
    args = (sgd, [variable], [tf.ones([1])], tf.constant(1.0))
    with pytest.raises(ValueError, match=refused):
        update_weights(tf.distribute.get_strategy(), *args)


def test_what_does_nothing_is_not_refused() -> None:
    FusedAdam(0.1, weight_decay=0.0, use_ema=False)


def test_every_setting_of_keras_is_used_or_refused() -> None:
    used = {"learning_rate", "beta_1", "beta_2", "epsilon", "momentum", "nesterov"}
    of_ema = {"ema_momentum", "ema_overwrite_frequency"}  # Without `use_ema` they do nothing.
    known = {*used, *of_ema, *APPLY_SETTINGS, "amsgrad", "name", "kwargs"}
    for kind in (keras.optimizers.Adam, keras.optimizers.SGD):
        assert set(inspect.signature(kind).parameters) <= known
