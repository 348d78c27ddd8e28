"""Four Gaussians in the plane, and flows fitted to them by maximum likelihood."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from bijectors import SCALAR_MAPS, AutoregressiveHidden, ConditionalMADE, with_reversals
from tf_latentflow.networks.normal import standard_normal_log_prob
from train.support.files import whole_file

__all__ = ["CENTRES", "SPREAD", "Fitted", "ToyFlow", "draw_target", "fit", "target_log_prob"]

CENTRES = ((2.0, 2.0), (-2.0, 2.0), (-2.0, -2.0), (2.0, -2.0))
SPREAD = 0.4  # Standard deviation of each Gaussian; they weigh the same.

_LAYERS = 5
# Small: with more units affine maps come closer to the four Gaussians, on longer and thinner
# bridges that a picture hardly shows.
_HIDDEN_SIZES = (32, 32)
_BATCH = 256
_RATE = 2e-3  # Of Adam at first; it falls to 0 along a cosine.
_STEPS_A_CALL = 100  # Compiled together.


def draw_target(n: int, seed: tf.Tensor) -> tf.Tensor:
    """Draws `[n, 2]` of the four Gaussians; the same seed, int32 `[2]`, gives the same."""
    seeds = tf.random.split(seed)
    which = tf.random.stateless_uniform([n], seeds[0], 0, len(CENTRES), tf.int32)
    return tf.gather(CENTRES, which) + SPREAD * tf.random.stateless_normal([n, 2], seeds[1])


def target_log_prob(z: tf.Tensor) -> tf.Tensor:
    """Their log-density at `z [..., 2]`, nats `[...]`; no flow has a higher one on average."""
    scaled = (z[..., None, :] - tf.constant(CENTRES)) / SPREAD
    return tf.reduce_logsumexp(_normal_log_prob(scaled), axis=-1) - math.log(
        len(CENTRES) * SPREAD**2
    )


class ToyFlow:
    """AF over two dimensions, five layers with reversals between them, from N(0, 1).

    Args:
      scalar: Name of the scalar map, a key of `SCALAR_MAPS`.
    """

    def __init__(self, scalar: str) -> None:
        self._scalar = SCALAR_MAPS[scalar]
        self._networks = [
            ConditionalMADE(
                2,
                self._scalar.num_params,
                hidden_sizes=_HIDDEN_SIZES,
                output_scale=self._scalar.output_scale,
            )
            for _ in range(_LAYERS)
        ]

    @property
    def weights(self) -> list[keras.Variable]:
        """Those of all layers."""
        return [weight for network in self._networks for weight in network.trainable_weights]

    def log_prob(self, z: tf.Tensor) -> tf.Tensor:
        """`log N(eps; 0, 1) + log|deps/dz|` at `z [..., 2]`, nats `[...]`."""
        make = self._scalar.from_unconstrained
        flow = with_reversals([AutoregressiveHidden(net, make) for net in self._networks])
        eps, log_det = flow.inverse_and_log_det(z)
        log_prob = _normal_log_prob(eps) + log_det
        # Far from all that the flow has seen its noise may be beyond the largest number, and one
        # layer further NaN: a density of 0.
        return tf.where(tf.math.is_nan(log_prob), -np.inf, log_prob)


class Fitted(NamedTuple):
    """A flow after its training.

    Attributes:
      flow: The flow.
      losses: `-log p(z)` of each step, mean over its batch [nats].
      seconds: What the training took.
    """

    flow: ToyFlow
    losses: np.ndarray
    seconds: float


def fit(scalar: str, num_steps: int, seed: int, folder: Path) -> Fitted:
    """Fits a flow, or reads the one that an earlier call left in the folder.

    Args:
      scalar: As in `ToyFlow`.
      num_steps: Steps of Adam, each with 256 new draws; a multiple of 100.
      seed: Of the first weights and of the draws: the same seed gives the same flow.
      folder: Where the fitted flow is kept.
    """
    keras.utils.set_random_seed(seed)
    flow = ToyFlow(scalar)
    file = folder / f"{scalar}-{num_steps}-{seed}.npz"
    if not file.exists():
        start = time.perf_counter()
        losses = _train(flow, num_steps, seed)
        seconds = time.perf_counter() - start
        weights = {f"weight_{i}": weight.numpy() for i, weight in enumerate(flow.weights)}
        with whole_file(file) as temporary:
            np.savez(temporary, losses=losses, seconds=seconds, **weights)
    with np.load(file) as saved:
        for i, weight in enumerate(flow.weights):
            weight.assign(saved[f"weight_{i}"])
        return Fitted(flow, saved["losses"], float(saved["seconds"]))


def _train(flow: ToyFlow, num_steps: int, seed: int) -> np.ndarray:
    """Maximises the mean log-density of the draws; returns the loss of every step."""
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(_RATE, num_steps))
    optimizer.build(flow.weights)

    # Not compiled by XLA: on a CPU a step takes about three times as long then.
    @tf.function
    def steps(first: tf.Tensor) -> tf.Tensor:
        losses = tf.TensorArray(tf.float32, _STEPS_A_CALL)
        for i in tf.range(_STEPS_A_CALL):
            step_seed = tf.random.experimental.stateless_fold_in([seed, 1], first + i)
            z = draw_target(_BATCH, step_seed)
            with tf.GradientTape() as tape:
                loss = -tf.reduce_mean(flow.log_prob(z))
            gradients = tape.gradient(loss, [weight.value for weight in flow.weights])
            optimizer.apply_gradients(zip(gradients, flow.weights, strict=True))
            losses = losses.write(i, loss)
        return losses.stack()

    calls = range(0, num_steps, _STEPS_A_CALL)
    return np.concatenate([steps(tf.constant(first)).numpy() for first in calls])


def _normal_log_prob(values: tf.Tensor) -> tf.Tensor:
    """Log-density of N(0, 1), summed over the last dimension."""
    return tf.reduce_sum(standard_normal_log_prob(values), axis=-1)
