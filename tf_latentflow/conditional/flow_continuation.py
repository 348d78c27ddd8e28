"""How a latent flow continues sequences: particles, weighted by the beginning.

A causal prior maps one step after the other, so that `z[:k]` and `eps[:k]` determine each other.
The rest of z is drawn through `eps[k:]`.
"""

from __future__ import annotations

import tensorflow as tf

from bijectors.masks import mask_steps, step_mask
from tf_latentflow.conditional.particles import as_particles, as_rows, chosen, pick
from tf_latentflow.interfaces.inputs import pad_steps
from tf_latentflow.noise import NoiseSource
from tf_latentflow.sequence_model import SequenceModel

__all__ = ["complete", "lengths_beyond"]


def lengths_beyond(
    model: SequenceModel,
    x: tf.Tensor,
    prefix_lengths: tf.Tensor,
    num_particles: int,
    noise: NoiseSource,
) -> tf.Tensor:
    """Draws T of each particle from `p(T | T > k)`."""
    shape = [num_particles, tf.shape(prefix_lengths)[0], 1, 1]
    uniform = noise.uniform(shape, tf.as_dtype(model.compute_dtype))[..., 0, 0]
    return model.length_model.choose(uniform, prefix_lengths)


def complete(
    model: SequenceModel,
    x: tf.Tensor,
    prefix_lengths: tf.Tensor,
    lengths: tf.Tensor,
    temperature: tf.Tensor,
    noise: NoiseSource,
    num_steps: int | tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Picks a particle by its weight, and draws what follows the beginning given its z."""
    z, eps, log_weight = _propose(model, x, prefix_lengths, lengths, noise.fold(0))

    def rest(eps: tf.Tensor) -> tf.Tensor:
        """Noise `[..., B, T, H]` of whole sequences, of which `eps [..., B, k, H]` begins."""
        missing = [[0, 0]] * (eps.shape.rank - 2) + [[0, num_steps - tf.shape(eps)[-2]], [0, 0]]
        eps = tf.pad(eps, missing)
        drawn = temperature * noise.fold(1).normal(tf.shape(eps), eps.dtype)
        return tf.where(step_mask(prefix_lengths, eps), eps, drawn)

    if model.emitter.reads_one_step:
        log_weight += _log_emission(model, x, prefix_lengths, z, lengths)
        index = pick(log_weight, noise.fold(2))
        lengths = chosen(lengths, index)
        # The rest is drawn for what is picked alone.
        z = _latents(model, rest(chosen(eps, index)), lengths)
    else:
        z = _latents(model, as_rows(rest(eps)), tf.reshape(lengths, [-1]))
        z = as_particles(z, lengths)
        log_weight += _log_emission(model, x, prefix_lengths, z, lengths)
        index = pick(log_weight, noise.fold(2))
        z, lengths = chosen(z, index), chosen(lengths, index)
    drawn = model.emit(z, lengths, temperature, noise.fold(3))
    given = step_mask(prefix_lengths, drawn, len(model.event_shape))
    return tf.where(given, pad_steps(x, tf.shape(drawn)[1]), drawn), lengths


def _propose(
    model: SequenceModel,
    x: tf.Tensor,
    prefix_lengths: tf.Tensor,
    lengths: tf.Tensor,
    noise: NoiseSource,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Draws z and eps `[K, B, k, H]`; also returns `log p(z[:k] | T) - log q`, `[K, B]`."""
    model.prior.check_is_causal()
    posterior = model._posterior(x, prefix_lengths)
    normal = posterior.draw_noise(tf.shape(lengths)[0], noise)
    z, log_q = posterior.at(normal, prefix_lengths)
    eps, log_p = model.prior.step_log_probs(as_rows(z), tf.reshape(lengths, [-1]))
    log_p = mask_steps(as_particles(log_p, lengths), prefix_lengths, event_ndims=0)
    return z, as_particles(eps, lengths), tf.reduce_sum(log_p - log_q, axis=-1)


def _latents(model: SequenceModel, eps: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    return model.prior.forward_and_log_det(mask_steps(eps, lengths), lengths)[0]


def _log_emission(
    model: SequenceModel, x: tf.Tensor, prefix_lengths: tf.Tensor, z: tf.Tensor, lengths: tf.Tensor
) -> tf.Tensor:
    """`log p(x[:k] | z, T)` of particles `z [K, B, T, H]`, nats `[K, B]`."""
    logits = as_particles(model.logits(as_rows(z), tf.reshape(lengths, [-1])), lengths)
    log_probs = model.symbols.log_prob(logits[:, :, : tf.shape(x)[1]], x)
    return tf.reduce_sum(mask_steps(log_probs, prefix_lengths, event_ndims=0), axis=-1)
