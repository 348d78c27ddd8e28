"""The adjoint gradient of IAF in time against automatic differentiation of its loop."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from bijectors import (
    SCALAR_MAPS,
    AdjointInverseAutoregressiveTime,
    ConditionalMLP,
    InverseAutoregressiveTime,
    SplitCouplingHidden,
)

B, T, H, UNITS = 3, 6, 4, 5
NLSQ = SCALAR_MAPS["nlsq"]


class GRU:
    """Context: the state of a GRU; its covariates come from a variable of their own."""

    def __init__(self) -> None:
        self.layer = keras.layers.GRU(UNITS, return_sequences=True, dtype="float64")
        self.layer.build((None, None, H))
        self.first = tf.Variable(np.random.default_rng(0).normal(size=UNITS))
        self.codes = tf.Variable(np.random.default_rng(1).normal(size=(10, UNITS)))

    @property
    def variables(self) -> list[tf.Variable]:
        return [*(v.value for v in self.layer.trainable_variables), self.first, self.codes]

    def covariates(self, batch_shape, num_steps):
        return tf.gather(self.codes, tf.range(num_steps))[None]

    def initial_state(self, batch_shape, num_steps):
        return tf.broadcast_to(self.first, tf.concat([batch_shape, [UNITS]], 0))

    def step(self, inputs, covariates, state):
        context, _ = self.layer.cell(inputs, [state])
        return context + covariates, context

    def scan(self, inputs, covariates):
        state = self.initial_state(tf.shape(inputs)[:-2], tf.shape(inputs)[-2])
        return self.layer(inputs, initial_state=state) + covariates


@pytest.fixture
def flow(float64: None):
    keras.utils.set_random_seed(0)
    conditioner = GRU()
    network = ConditionalMLP(H // 2, H - H // 2, NLSQ.num_params, UNITS, (8, 8))
    for weight in network.trainable_variables:
        weight.assign(0.3 * np.random.default_rng(2).normal(size=weight.shape))

    def hidden(context):
        return SplitCouplingHidden(network, NLSQ.from_unconstrained, context)

    variables = [*conditioner.variables, *(v.value for v in network.trainable_variables)]
    return conditioner, hidden, variables


@pytest.mark.parametrize("how", ["eager", pytest.param("graph", marks=pytest.mark.nightly)])
def test_values_and_gradients_are_those_of_the_loop(flow, how: str) -> None:
    conditioner, hidden, variables = flow
    rng = np.random.default_rng(3)
    z = tf.constant(rng.normal(size=(B, T, H)))
    weight, log_det_weight = tf.constant(rng.normal(size=(B, T, H))), tf.constant([1.0, -2.0, 0.5])

    def run(kind):
        with tf.GradientTape() as tape:
            tape.watch(z)
            bijector = kind(conditioner, hidden, lengths=[T, 3, 0])
            eps, log_det = bijector.inverse_and_log_det(z)
            loss = tf.reduce_sum(weight * tf.sin(eps))
            loss += tf.reduce_sum(tf.cast(log_det_weight, z.dtype) * log_det)
        gradients = tape.gradient(loss, [z, *variables])
        return [eps, log_det, *(tf.convert_to_tensor(g) for g in gradients)]

    expected = run(InverseAutoregressiveTime)
    function = run if how == "eager" else tf.function(run)
    found = function(AdjointInverseAutoregressiveTime)
    for a, b in zip(found, expected, strict=True):
        assert float(tf.norm(b)) > 0
        np.testing.assert_allclose(a, b, atol=1e-11)
