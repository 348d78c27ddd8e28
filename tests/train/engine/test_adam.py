"""`FusedAdam` is Adam as Keras has it."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from train.backend.adam import FusedAdam


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
