"""Filling in missing parts of sequences, by Markov chains over the latents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from bijectors.masks import mask_steps, zero_unless
from tf_latentflow.conditional.particles import chosen, pick
from tf_latentflow.interfaces.inputs import as_count, as_temperature
from tf_latentflow.noise import NoiseSource, Seed, noise_of
from tf_latentflow.sequence_model import SequenceModel

__all__ = ["fill_in"]

_WINDOWS = (1, 2, 4, 8)  # Steps that a sweep draws together from the prior, sweep after sweep.
_ENCODED = 8  # Steps that are drawn together from q.


def fill_in(
    model: SequenceModel,
    x: Any,
    lengths: Any,
    given: Any,
    num_particles: int = 32,
    sweeps: int = 8,
    temperature: float = 1.0,
    seed: Seed = None,
) -> tf.Tensor:
    """Draws the missing parts of sequences from `p(x missing | x given, T)`, by a Markov chain.

    A sweep redraws z window by window. There are K - 1 proposals besides the current z, and one
    of the K is picked by its weight:

        z[a:b] from the prior given z[:a], where a step of the window is not wholly given,
            weight p(z[b:] | z[:b], T) p(x given | z, T)
        x missing ~ p(x | z, T)
        z[a:b] from q(z | x, T), everywhere, weight p(z | T) p(x | z, T) / q(z[a:b] | x, T)

    Each move leaves `p(x missing, z | x given, T)` invariant for every K of at least 2, so the
    result becomes exact as the number of sweeps grows. A few sweeps come close where the gaps
    are short. A long gap, or a voice that determines little, keeps traces of the first sample,
    and what would have to change at many steps at once may not change.

    An eager call is compiled with XLA, once for each shape.

    Args:
      model: The model whose method this is.
      x: Integers `[B, T, *event_shape]`; values that are not given have no effect.
      lengths: int32 `[B]`.
      given: Bool, of the shape of x: what is kept.
      num_particles: K. More are slower, but move away from the first sample sooner.
      sweeps: How often every step is redrawn.
      temperature: Of the symbols alone, when they are drawn at the end.
      seed: See `SequenceModel`.

    Returns:
      int32 like x, 0 beyond each length.

    Raises:
      ValueError: There are fewer than two particles or no sweeps, `given` does not fit x or the
        emission, or the prior is a coupling.
    """
    num_particles = as_count("num_particles", num_particles, least=2)
    sweeps = as_count("sweeps", sweeps)
    model.prior.check_is_causal()
    x, lengths = model._batch_of(x, lengths)
    temperature = as_temperature(temperature, model.compute_dtype, lengths)
    given = np.asarray(given, bool)
    if given.shape != x.shape:
        raise ValueError(f"expected given {x.shape}, as x; got {given.shape}")
    model.symbols.check_given(given)
    noise = noise_of(seed, tf.shape(lengths)[0])
    whole = np.all(given, axis=(0, *range(2, given.ndim)))
    given = tf.constant(given)
    z = tf.zeros([*x.shape[:2], model.config.latent_size], model.compute_dtype)
    for k, (from_prior, start, stop) in enumerate(_windows(whole, sweeps)):
        move = model._compiled(_from_prior if from_prior else _from_posterior)
        window = tf.constant([start, stop])
        z = move(z, x, lengths, given, num_particles, window, noise.fold(k + 1))
    return _fill(model, z, x, lengths, given, temperature, noise.fold(0))


def _from_prior(
    model: SequenceModel,
    z: tf.Tensor,
    x: tf.Tensor,
    lengths: tf.Tensor,
    given: tf.Tensor,
    num_particles: int,
    window: tf.Tensor,
    noise: NoiseSource,
) -> tf.Tensor:
    """Redraws z in a window `[a, b)` given the z before it; see `fill_in`."""
    shape = tf.concat([[num_particles - 1], tf.shape(z)], axis=0)
    eps = noise.fold(0).normal(shape, z.dtype)
    drawn = model.prior.redraw(eps, z, lengths, *tf.unstack(window))
    particles = tf.concat([z[None], drawn], axis=0)
    _, log_p = model.prior.step_log_probs(particles, lengths)
    later = zero_unless(tf.range(tf.shape(z)[-2]) >= window[1], log_p)
    emission = model.symbols.log_prob(model.logits(particles, lengths), x, given)
    log_weight = tf.reduce_sum(later + mask_steps(emission, lengths, event_ndims=0), axis=-1)
    return chosen(particles, pick(log_weight, noise.fold(1)))


def _from_posterior(
    model: SequenceModel,
    z: tf.Tensor,
    x: tf.Tensor,
    lengths: tf.Tensor,
    given: tf.Tensor,
    num_particles: int,
    window: tf.Tensor,
    noise: NoiseSource,
) -> tf.Tensor:
    """Draws the missing parts of x, then z in a window from q(z | x, T); see `fill_in`."""
    x = _fill(model, z, x, lengths, given, 1.0, noise.fold(0))
    steps = tf.range(tf.shape(z)[-2])[:, None]
    inside = (steps >= window[0]) & (steps < window[1])
    posterior = model._posterior(x, lengths)
    normal = posterior.draw_noise(num_particles - 1, noise.fold(1))
    normal = tf.concat([posterior.noise_of(z)[None], normal], axis=0)
    drawn, log_q = posterior.at(normal, lengths)
    particles = tf.where(inside, drawn, z)
    _, log_p = model.prior.step_log_probs(particles, lengths)
    emission = model.symbols.log_prob(model.logits(particles, lengths), x)
    log_weight = log_p + emission - zero_unless(inside[:, 0], log_q)
    log_weight = tf.reduce_sum(mask_steps(log_weight, lengths, event_ndims=0), axis=-1)
    return chosen(particles, pick(log_weight, noise.fold(2)))


def _fill(
    model: SequenceModel,
    z: tf.Tensor,
    x: tf.Tensor,
    lengths: tf.Tensor,
    given: tf.Tensor,
    temperature: float | tf.Tensor,
    noise: NoiseSource,
) -> tf.Tensor:
    """The given parts of x, with the rest drawn from p(x | z, T)."""
    filled = model.symbols.fill(model.logits(z, lengths), x, given, temperature, noise)
    return model._within(filled, lengths)


def _windows(whole: np.ndarray, sweeps: int) -> Iterator[tuple[bool, int, int]]:
    """The windows of all sweeps: whether z is drawn from the prior, and the steps `[a, b)`.

    Args:
      whole: Whether a step is wholly given, bool `[T]`; the prior is not used there.
      sweeps: Number of sweeps.
    """
    num_steps = len(whole)
    # It starts from all of a sample of the model, and goes to what q says where x is given.
    yield True, 0, num_steps
    yield False, 0, num_steps
    for sweep in range(sweeps):
        size = _WINDOWS[sweep % len(_WINDOWS)]
        for start in range(-(sweep % size), num_steps, size):
            if not np.all(whole[max(start, 0) : start + size]):
                yield True, start, start + size
        for start in range(-(sweep % _ENCODED), num_steps, _ENCODED):
            yield False, start, start + _ENCODED
