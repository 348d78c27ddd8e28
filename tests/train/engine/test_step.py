"""The training step on a model with one weight, whose gradient is known."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_latentflow import Noise, Terms
from train.backend.split_evaluation import batch_spec
from train.backend.step import TrainStep
from train.engine.settings import LoopSettings

SPEC = batch_spec([np.zeros([2], np.int32)], 2)
ANY_ROWS = batch_spec([np.zeros([2], np.int32)], 2, max_steps=8)


class Lengths(keras.layers.Layer):
    def log_prob(self, lengths: tf.Tensor) -> tf.Tensor:
        return tf.fill(tf.shape(lengths), tf.constant(-1.0))


class OneWeight(keras.Model):
    """reconstruction = -w * T and kl = scale * w**2, so that both gradients are known."""

    def __init__(self) -> None:
        super().__init__()
        self.length_model = Lengths()
        self.w = self.add_weight((), "ones", name="w")
        self.scale = self.add_weight((), "ones", trainable=False, name="scale")
        self.noise = self.add_weight((), "zeros", trainable=False, name="noise")
        self.built = True

    def elbo(
        self,
        x: tf.Tensor,
        lengths: tf.Tensor,
        num_samples: int,
        seed: Noise,
        training: bool,
    ) -> Terms:
        normal = seed.normal([num_samples, tf.shape(x)[0], 1, 1], tf.float32)
        noise = self.noise * normal[:, :, 0, 0]
        real = tf.cast(lengths > 0, tf.float32)
        zeros = tf.zeros_like(noise)
        reconstruction = zeros - self.w * tf.cast(lengths, tf.float32) + noise
        kl = zeros + self.scale * tf.square(self.w) * real
        return Terms(reconstruction, kl, reconstruction - kl)


def make(spec: tuple[tf.TensorSpec, ...] = SPEC, **settings: object) -> TrainStep:
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    with strategy.scope():
        model = OneWeight()
        optimizer = keras.optimizers.SGD(0.125)
        optimizer.build(model.trainable_variables)
    config = LoopSettings(**{"elbo_samples": 3, "clip_norm": 1e9, **settings})
    step = TrainStep(config, model, optimizer, strategy, spec)
    step.model = model
    return step


def batch(*lengths: int, first: int = 0) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    rows = len(lengths)
    x = tf.zeros([rows, max(lengths)], tf.int32)
    return x, tf.constant(lengths, tf.int32), tf.range(first, first + rows)


@pytest.mark.parametrize("jit", [False, True])
def test_terms_are_sums_gradient_and_update_per_symbol(jit: bool) -> None:
    step = make(jit=jit)
    terms = step([batch(4, 0)], kl_weight=0.5, step=0)
    # sum(T + 1) = 5: the row of length 0 fills the batch and counts nowhere.
    assert float(terms.symbols) == 5
    assert float(terms.reconstruction) == pytest.approx(-4)
    assert float(terms.kl) == pytest.approx(1)
    assert float(terms.log_prob) == pytest.approx(-5)
    assert float(terms.log_length) == pytest.approx(-1)
    gradient = (4 + 0.5 * 2) / 5
    assert float(terms.gradient_norm) == pytest.approx(gradient)
    assert float(step.model.w) == pytest.approx(1 - 0.125 * gradient)
    assert step.failure is None


def test_gradient_is_clipped() -> None:
    step = make(clip_norm=0.25)
    step([batch(4, 3)], kl_weight=1.0, step=0)
    assert float(step.model.w) == pytest.approx(1 - 0.125 * 0.25)


def test_a_gradient_whose_square_overflows_is_clipped() -> None:
    step = make(clip_norm=0.25)
    step.model.scale.assign(1e30)
    terms = step([batch(4, 0)], kl_weight=1.0, step=0)
    assert float(terms.gradient_norm) == pytest.approx(2e30 / 5)
    assert float(step.model.w) == pytest.approx(1 - 0.125 * 0.25)
    assert step.failure is None


def test_accumulated_batches_are_one_batch() -> None:
    whole, parts = make(), make()
    for i in range(2):
        expected = whole([batch(4, 3)], kl_weight=1.0, step=i)
        found = parts([batch(4, 0), batch(3, 0)], kl_weight=1.0, step=i)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert float(parts.model.w) == pytest.approx(float(whole.model.w))


@pytest.mark.parametrize("jit", [False, True])
def test_accumulated_batches_may_have_unlike_rows(jit: bool) -> None:
    whole = make(ANY_ROWS)
    parts = make(ANY_ROWS, jit=jit)
    expected = whole([batch(4, 3, 2, 9)], kl_weight=0.5, step=0)
    found = parts([batch(9), batch(4, 3), batch(2)], kl_weight=0.5, step=0)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert float(parts.model.w) == pytest.approx(float(whole.model.w))


@pytest.mark.parametrize("spec", [SPEC, ANY_ROWS])
def test_one_trace_for_all_lengths(spec: tuple[tf.TensorSpec, ...]) -> None:
    step = make(spec)
    third = (9, 9) if spec is SPEC else (9, 9, 2)
    for i, lengths in enumerate([(2, 3), (5, 1), third]):
        step([batch(*lengths)], kl_weight=0.1 * i, step=i)
    assert step._gradients.experimental_get_tracing_count() == 1
    assert step._update.experimental_get_tracing_count() == 1


def test_random_numbers_depend_on_seed_step_and_place_alone() -> None:
    def term(seed: int, number: int, *batches: tuple[tf.Tensor, ...]) -> float:
        step = make(ANY_ROWS, seed=seed)
        step.model.noise.assign(1.0)
        return float(step(batches, kl_weight=1.0, step=number).reconstruction)

    one = batch(4, 4)
    found = term(1, 2, one)
    assert term(1, 2, one) == found
    assert len({found, term(1, 3, one), term(2, 2, one)}) == 3
    assert term(1, 2, batch(4, 4, first=2)) != found
    # However the sequences of a step are divided into batches.
    parts = [batch(4, first=i) for i in range(2)]
    assert term(1, 2, *parts) == pytest.approx(found, rel=1e-6)


def test_a_term_that_is_not_finite_is_named_and_stops_all_updates() -> None:
    cases = [("reconstruction", "noise", math.nan), ("kl", "scale", math.inf)]
    for name, variable, value in cases:
        step = make()
        step([batch(4, 4)], kl_weight=1.0, step=7)
        before = float(step.model.w)
        getattr(step.model, variable).assign(value)
        step([batch(4, 4)], kl_weight=1.0, step=8)
        getattr(step.model, variable).assign(0.0)
        step([batch(4, 4)], kl_weight=1.0, step=9)  # The host has not looked yet.
        assert float(step.model.w) == before
        assert step.failure == (8, name)


def test_a_gradient_that_is_not_finite_is_named() -> None:
    step = make(elbo_samples=1)
    step.model.scale.assign(3e38)
    step.model.w.assign(0.9)
    step([batch(4, 0)], kl_weight=1.0, step=3)
    assert step.failure == (3, "gradient_norm")
    assert float(step.model.w) == pytest.approx(0.9)
