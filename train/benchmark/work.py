"""Pieces of work to be timed, as functions that return tensors."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors import SCALAR_MAPS, AutoregressiveHidden, ConditionalMADE, Execution
from tf_latentflow import ModelConfig, build_model
from train.backend.devices import make_strategy
from train.backend.optimizers import FusedAdam
from train.backend.split_evaluation import batch_spec
from train.backend.step import TrainStep
from train.engine.settings import LoopSettings
from train.engine.workers.team import ALONE

__all__ = ["elbo", "log_likelihood", "made_sample", "sample", "tfp_made_sample", "train_step"]

Work = Callable[[], object]


def train_step(
    config: ModelConfig,
    batch_size: int,
    num_steps: int,
    num_samples: int = 1,
    mixed_precision: bool = False,
) -> Work:
    """One step of the training program on sequences of T steps, its update included."""
    strategy = make_strategy(ALONE)
    with strategy.scope():
        model = _model(config, "bfloat16" if mixed_precision else None)
        optimizer = FusedAdam(1e-3)
        optimizer.build(model.trainable_variables)
    x, lengths = _batch(config, batch_size, num_steps)
    settings = LoopSettings(elbo_samples=num_samples)
    step = TrainStep(settings, model, optimizer, strategy, batch_spec(list(x.numpy()), batch_size))
    return lambda: step([(x, lengths, tf.range(batch_size))], 1.0, 0)


def elbo(config: ModelConfig, batch_size: int, num_steps: int) -> Work:
    """The bound of a batch, one sample, no gradients."""
    model = _model(config)
    x, lengths = _batch(config, batch_size, num_steps)
    compute = tf.function(lambda x, lengths: model.elbo(x, lengths))
    return lambda: compute(x, lengths)


def log_likelihood(
    config: ModelConfig, batch_size: int, num_steps: int, num_samples: int = 50
) -> Work:
    """The importance-sampled likelihood of a batch."""
    model = _model(config)
    x, lengths = _batch(config, batch_size, num_steps)
    compute = tf.function(lambda x, lengths: model.estimate(x, lengths, num_samples))
    return lambda: compute(x, lengths)


def sample(config: ModelConfig, batch_size: int, num_steps: int) -> Work:
    """Sequences of T steps, drawn as `model.sample` draws them."""
    model = _model(config)
    lengths = tf.fill([batch_size], num_steps)
    return lambda: model.sample(lengths)


def made_sample(event_size: int, hidden_size: int, batch_size: int) -> Work:
    """Vectors drawn through one MADE with affine maps: the incremental solution."""
    affine = SCALAR_MAPS["affine"]
    made = ConditionalMADE(event_size, affine.num_params, 0, (hidden_size, hidden_size))
    eps = tf.random.stateless_normal([batch_size, event_size], [0, 0])
    flow = AutoregressiveHidden(made, affine.from_unconstrained)
    draw = tf.function(flow.forward, jit_compile=True)
    return lambda: draw(eps)


def tfp_made_sample(event_size: int, hidden_size: int, batch_size: int) -> Work:
    """The same by TFP's `MaskedAutoregressiveFlow`, which passes through the network H times.

    Its network is that of `made_sample`: what differs is the bijector.
    """
    affine = SCALAR_MAPS["affine"]
    made = ConditionalMADE(event_size, affine.num_params, 0, (hidden_size, hidden_size))
    eps = tf.random.stateless_normal([batch_size, event_size], [0, 0])
    flow = tfp.bijectors.MaskedAutoregressiveFlow(
        bijector_fn=lambda x: affine.from_unconstrained(made(x))
    )
    draw = tf.function(flow.forward, jit_compile=True)
    return lambda: draw(eps)


def _model(config: ModelConfig, products: str | None = None) -> keras.Model:
    """A model that is computed as the programs train and test it."""
    keras.utils.set_random_seed(0)
    model = build_model(config)
    model.execution = Execution(compile_loops=True, products=products)
    return model


def _batch(config: ModelConfig, batch_size: int, num_steps: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Random symbols or notes, all sequences as long as the longest."""
    rng = np.random.default_rng(0)
    if config.is_text:
        x = rng.integers(2, config.vocab_size, [batch_size, num_steps])
    else:
        x = rng.random([batch_size, num_steps, config.vocab_size]) < 0.05
    return tf.constant(x.astype(np.int32)), tf.fill([batch_size], num_steps)
