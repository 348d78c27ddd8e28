"""Varying and interpolating sequences through the noise that a flow maps them to."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from bijectors.masks import mask_steps
from tf_latentflow.interfaces.inputs import as_count, as_temperature, pad_steps
from tf_latentflow.noise import NoiseSource, Seed, noise_of
from tf_latentflow.sequence_model import SequenceModel

__all__ = ["interpolate", "vary"]


def vary(
    model: SequenceModel,
    x: tf.Tensor,
    lengths: tf.Tensor,
    amount: float,
    seed: Seed = None,
    temperature: float = 0.0,
) -> tf.Tensor:
    """Varies sequences by adding noise to the noise eps of their posterior means.

        eps' = sqrt(1 - amount^2) * eps + amount * noise

    If eps is N(0, 1), so is eps'. An eager call is compiled with XLA, as in `sample`.

    Args:
      model: The model whose method this is.
      x: Integers `[B, T, *event_shape]`.
      lengths: int32 `[B]`.
      amount: From 0, which reconstructs the posterior mean, to 1, which keeps only the length.
      seed: See `SequenceModel`.
      temperature: Of the symbols alone: divides the logits; 0 gives the most likely ones.

    Returns:
      Symbols at `f(eps')`, int32 like x, 0 beyond each length.
    """
    if np.ndim(amount) or not 0 <= amount <= 1:
        raise ValueError(f"expected an amount from 0 to 1; got {amount}")
    x, lengths = model._batch_of(x, lengths)
    temperature = as_temperature(temperature, model.compute_dtype, lengths)
    num_steps = tf.shape(x)[1]
    if tf.executing_eagerly():
        x = pad_steps(x, model._rounded(int(num_steps)))
    noise = noise_of(seed, tf.shape(lengths)[0])
    eps = model._compiled(_noise_of)(x, lengths)
    normal = noise.fold(0).normal(tf.shape(eps), eps.dtype)
    eps = math.sqrt(1 - amount**2) * eps + amount * mask_steps(normal, lengths)
    return model._compiled(_decode)(eps, lengths, temperature, noise.fold(1))[:, :num_steps]


def interpolate(
    model: SequenceModel, x0: tf.Tensor, length0: int, x1: tf.Tensor, length1: int, steps: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Interpolates between two sequences, linearly in the noise eps of their posterior means.

    The length is interpolated and rounded. Beyond the end of the shorter sequence its noise
    counts as 0. An eager call is compiled with XLA.

    Args:
      model: The model whose method this is.
      x0: Integers `[T0, *event_shape]`, the first sequence.
      length0: Its length.
      x1: Integers `[T1, *event_shape]`, the last sequence.
      length1: Its length.
      steps: Number of sequences, including both ends; at least 2.

    Returns:
      The most likely symbols, int32 `[steps, max length, *event_shape]`, and the lengths, int32
      `[steps]`.
    """
    steps = as_count("steps", steps, least=2)
    length0, length1 = as_count("length0", length0), as_count("length1", length1)
    ends = [model._batch_of([x], [length]) for x, length in ((x0, length0), (x1, length1))]
    longest = max(int(length[0]) for _, length in ends)
    rounded = model._rounded(longest)
    x = tf.concat([pad_steps(x[:, :longest], rounded) for x, _ in ends], axis=0)
    eps = model._compiled(_noise_of)(x, tf.concat([length for _, length in ends], axis=0))
    weight = np.linspace(0, 1, steps)
    lengths = tf.constant(np.rint((1 - weight) * length0 + weight * length1), tf.int32)
    weight = tf.constant(weight[:, None, None], eps.dtype)
    eps = mask_steps((1 - weight) * eps[0] + weight * eps[1], lengths)
    zero = tf.zeros([], eps.dtype)
    symbols = model._compiled(_decode)(eps, lengths, zero, noise_of((0, 0), steps))
    return symbols[:, :longest], lengths


def _noise_of(model: SequenceModel, x: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """`eps = f^-1(mean)` of the posterior mean, `[B, T, H]`, 0 beyond each length."""
    mean = model._posterior(x, lengths).mean
    eps, _ = model.prior.inverse_and_log_det(mean, lengths)
    return mask_steps(eps, lengths)


def _decode(
    model: SequenceModel,
    eps: tf.Tensor,
    lengths: tf.Tensor,
    temperature: tf.Tensor,
    noise: NoiseSource,
) -> tf.Tensor:
    """Symbols at `z = f(eps)`, the most likely at temperature 0; `eps` is 0 beyond a length."""
    z, _ = model.prior.forward_and_log_det(eps, lengths)
    return model.emit(z, lengths, temperature, noise)
