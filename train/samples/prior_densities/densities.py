"""The prior's densities p(z[t] | z[:t]) of a model whose latents are points of a plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from bijectors import Compose
from tf_latentflow import ModelConfig, Vocabulary
from tf_latentflow.networks.normal import standard_normal_log_prob
from train.samples.prior_densities.modes import find_modes

__all__ = ["Density", "Mode", "has_step_densities", "prior_densities", "step_log_prob"]

_MIN_MASS = 0.02  # A mode of less probability is not worth a label.
_SAMPLES = 4000  # Of each density, to see where it lies:
_OUTSIDE = 0.002  # this share of them may lie beyond each side of the grid,
_MARGIN = 0.04  # which goes on by this share of its width.
_FAR = 1e6  # No latent of a model that has learnt anything lies there.
_CHUNK = 4096  # Points that are evaluated at once.


class Mode(NamedTuple):
    """A peak of a density.

    Attributes:
      z: Where it is.
      density: There.
      mass: Probability of what belongs to it; see `find_modes`.
      character: The most likely one there, the latents of other steps being what they are.
    """

    z: tuple[float, float]
    density: float
    mass: float
    character: str


class Density(NamedTuple):
    """`p(z[t] | z[:t])` at a step t, for a sample z of q(z | x).

    Attributes:
      step: t.
      x: First coordinates of a grid's points, `[G]`.
      y: Second coordinates, `[G]`.
      values: The density there, `[G, G]`, y before x.
      z: z[t], `[2]`.
      log_density: At z[t], in nats.
      modes: The most probable first.
    """

    step: int
    x: np.ndarray
    y: np.ndarray
    values: np.ndarray
    z: np.ndarray
    log_density: float
    modes: list[Mode]

    @property
    def mass(self) -> float:
        """Probability of the grid: what 1 lacks lies beyond it, or between its points."""
        return float(self.values.sum()) * _cell_area(self.x, self.y)


def has_step_densities(config: ModelConfig) -> bool:
    """Whether each step has, given the earlier ones alone, a prior density in a plane."""
    return config.is_flow and config.is_causal and config.latent_size == 2


def prior_densities(
    model: keras.Model, x: np.ndarray, steps: Sequence[int], *, seed: int, size: int
) -> list[Density]:
    """Evaluates the prior along a sample of q(z | x), as in figure 6 of Ziegler & Rush (2019).

    Args:
      model: A causal `LatentFlow` with `latent_size` 2 that knows its vocabulary.
      x: Ids of a sentence, `[T]`.
      steps: P of 0 .. T - 1.
      seed: Of the sample.
      size: G. All densities have the same grid, on which nearly all of each is.

    Raises:
      ValueError: If the latents are not points of a plane, or depend on later ones.
    """
    if not has_step_densities(model.config):
        raise ValueError(f"expected a causal flow with latent_size 2; got {model.config}")
    lengths = tf.constant([len(x)])
    mean, std = model.encode(x[None], lengths)
    z_seed, grid_seed = tf.unstack(tf.random.split(tf.constant([seed, 0], tf.int32)))
    z = mean + std * tf.random.stateless_normal(tf.shape(mean), z_seed, dtype=mean.dtype)
    bijector = model.prior.step_bijector(z, lengths, steps)
    sampled = tf.gather(z[0], steps)
    log_densities = step_log_prob(bijector, sampled[None])[0]
    grid = _grid(bijector, sampled, grid_seed, size)
    points = np.stack(np.meshgrid(*grid), axis=-1).reshape(-1, 1, 2).repeat(len(steps), axis=1)
    chunks = np.split(points, range(_CHUNK, len(points), _CHUNK))
    values = np.exp(np.concatenate([step_log_prob(bijector, chunk) for chunk in chunks]))
    found = []
    for k, step in enumerate(steps):
        own = values[:, k].reshape(size, size)
        modes = [
            Mode(tuple(points[index, k].tolist()), float(own.flat[index]), mass, "")
            for index, mass in find_modes(own, _cell_area(*grid))
            if mass >= _MIN_MASS
        ]
        found.append(Density(step, *grid, own, sampled[k].numpy(), float(log_densities[k]), modes))
    return _with_characters(model, z, found)


def step_log_prob(bijector: Compose, z: tf.Tensor) -> np.ndarray:
    """`log p(z[t] | z[:t])` by the prior's `step_bijector`: `[N, P, H]` to nats `[N, P]`."""
    eps, log_det = bijector.inverse_and_log_det(z)
    return (log_det + tf.reduce_sum(standard_normal_log_prob(eps), axis=-1)).numpy()


def _grid(
    bijector: Compose, sampled: tf.Tensor, seed: tf.Tensor, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns coordinates `[size]` in x and in y: samples of each density lie around them."""
    shape = [_SAMPLES, *sampled.shape]
    eps = tf.random.stateless_normal(shape, seed, dtype=sampled.dtype)
    z = bijector.forward_and_log_det(eps)[0].numpy()
    z = np.clip(np.nan_to_num(z), -_FAR, _FAR)  # A prior that has yet to learn may overflow.
    low, high = np.quantile(z, [_OUTSIDE, 1 - _OUTSIDE], axis=0)  # [P, 2] each.
    low = np.minimum(low, sampled).min(axis=0)
    high = np.maximum(high, sampled).max(axis=0)
    low, high = low - _MARGIN * (high - low), high + _MARGIN * (high - low)
    middles = (np.arange(size) + 0.5) / size
    x, y = (low[:, None] + (high - low)[:, None] * middles).astype(z.dtype)
    return x, y


def _cell_area(x: np.ndarray, y: np.ndarray) -> float:
    """Area that belongs to a point of a grid."""
    return float((x[1] - x[0]) * (y[1] - y[0]))


def _with_characters(
    model: keras.Model, z: tf.Tensor, densities: Sequence[Density]
) -> list[Density]:
    """Fills in the modes' characters: the emitter's choice where z `[1, T, 2]` is moved to each."""
    places = [(density.step, mode.z) for density in densities for mode in density.modes]
    # A power of two, because the emitter may be compiled, and that for each number of rows.
    rows = 1 << max(len(places) - 1, 0).bit_length()
    moved = z.numpy().repeat(rows, axis=0)
    for row, (step, place) in zip(moved, places, strict=False):
        row[step] = place
    ids = iter(model.emit(moved, tf.fill([rows], moved.shape[1])).numpy())
    vocabulary = Vocabulary(model.config.vocabulary)
    return [
        density._replace(
            modes=[
                mode._replace(character=vocabulary.decode(next(ids)[density.step, None]))
                for mode in density.modes
            ]
        )
        for density in densities
    ]
