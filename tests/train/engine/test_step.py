"""The training step on a model with one weight, whose gradient is known."""

from __future__ import annotations

import math
from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from train.backend.batches import batch_spec
from train.backend.step import TrainStep

SPEC = batch_spec([np.zeros([2], np.int32)], 2)
ANY_ROWS = batch_spec([np.zeros([2], np.int32)], 2, max_steps=8)


class Bound(NamedTuple):
    reconstruction: tf.Tensor
    kl: tf.Tensor


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
        seed: tf.Tensor,
        training: bool,
    ) -> Bound:
        noise = self.noise * tf.random.stateless_normal([num_samples, tf.shape(x)[0]], seed)
        real = tf.cast(lengths > 0, tf.float32)
        zeros = tf.zeros_like(noise)
        return Bound(
            zeros - self.w * tf.cast(lengths, tf.float32) + noise,
            zeros + self.scale * tf.square(self.w) * real,
        )


def make(accumulation_steps: int = 1, clip_norm: float = 1e9, **options: object) -> TrainStep:
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    with strategy.scope():
        model = OneWeight()
        optimizer = keras.optimizers.SGD(0.125)
        optimizer.build(model.trainable_variables)
    options = {"elbo_samples": 3, "seed": 0, "jit": False, "batch_spec": SPEC, **options}
    step = TrainStep(
        model,
        optimizer,
        strategy,
        clip_norm=clip_norm,
        accumulation_steps=accumulation_steps,
        **options,
    )
    step.model = model
    return step


def batch(*lengths: int) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.zeros([len(lengths), max(lengths)], tf.int32), tf.constant(lengths, tf.int32)


@pytest.mark.parametrize("jit", [False, True])
def test_terms_gradient_and_update_are_per_symbol(jit: bool) -> None:
    step = make(jit=jit)
    terms = step([batch(4, 0)], kl_weight=0.5, step=0)
    # sum(T + 1) = 5: the row of length 0 fills the batch and counts nowhere.
    assert float(terms.symbols) == 5
    assert float(terms.reconstruction) == pytest.approx(4 / 5)
    assert float(terms.kl) == pytest.approx(1 / 5)
    assert float(terms.length) == pytest.approx(1 / 5)
    gradient = (4 + 0.5 * 2) / 5
    assert float(terms.gradient_norm) == pytest.approx(gradient)
    assert float(step.model.w) == pytest.approx(1 - 0.125 * gradient)
    assert step.failure is None


def test_gradient_is_clipped() -> None:
    step = make(clip_norm=0.25)
    step([batch(4, 3)], kl_weight=1.0, step=0)
    assert float(step.model.w) == pytest.approx(1 - 0.125 * 0.25)


def test_accumulated_batches_are_one_batch() -> None:
    whole, parts = make(), make(accumulation_steps=2)
    for i in range(2):
        expected = whole([batch(4, 3)], kl_weight=1.0, step=i)
        found = parts([batch(4, 0), batch(3, 0)], kl_weight=1.0, step=i)
        np.testing.assert_allclose(np.array(found), np.array(expected), rtol=1e-6)
    assert float(parts.model.w) == pytest.approx(float(whole.model.w))


@pytest.mark.parametrize("jit", [False, True])
def test_accumulated_batches_may_have_unlike_rows(jit: bool) -> None:
    whole = make(batch_spec=ANY_ROWS)
    parts = make(accumulation_steps=3, batch_spec=ANY_ROWS, jit=jit)
    expected = whole([batch(4, 3, 2, 9)], kl_weight=0.5, step=0)
    found = parts([batch(9), batch(4, 3), batch(2)], kl_weight=0.5, step=0)
    np.testing.assert_allclose(np.array(found), np.array(expected), rtol=1e-6)
    assert float(parts.model.w) == pytest.approx(float(whole.model.w))


@pytest.mark.parametrize("spec", [SPEC, ANY_ROWS])
def test_one_trace_for_all_lengths(spec: tuple[tf.TensorSpec, ...]) -> None:
    step = make(batch_spec=spec)
    third = (9, 9) if spec is SPEC else (9, 9, 2)
    for i, lengths in enumerate([(2, 3), (5, 1), third]):
        step([batch(*lengths)], kl_weight=0.1 * i, step=i)
    assert step.num_traces == 1


def test_random_numbers_depend_on_seed_step_and_batch_alone() -> None:
    def term(seed: int, number: int, accumulation_steps: int = 1) -> float:
        step = make(accumulation_steps, seed=seed)
        step.model.noise.assign(1.0)
        batches = [batch(4, 4)] * accumulation_steps
        return float(step(batches, kl_weight=1.0, step=number).reconstruction)

    assert term(1, 2) == term(1, 2)
    assert len({term(1, 2), term(1, 3), term(2, 2), term(1, 2, 2)}) == 4


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
    assert step.failure == (3, "gradient norm")
    assert float(step.model.w) == pytest.approx(0.9)
