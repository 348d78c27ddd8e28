"""Continuing sequences: what all models share.

A model defines `_lengths_beyond`, which draws T above k for each particle, int32 `[K, B]`, and
`_complete`, which continues x to `[B, num_steps, *event_shape]` and returns it with its lengths.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from tf_latentflow.interfaces.inputs import as_count, as_int32, as_temperature, pad_steps, require
from tf_latentflow.noise import NoiseSource, Seed, noise_of
from tf_latentflow.sequence_model import SequenceModel

__all__ = ["complete"]


def complete(
    model: SequenceModel,
    x: Any,
    prefix_lengths: Any,
    lengths: Any = None,
    num_particles: int = 64,
    temperature: float | tf.Tensor = 1.0,
    seed: Seed = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Continues sequences: draws from `p(x[k:], T | x[:k], T > k)`.

    A `LatentFlow` draws K particles. T comes from `p(T | T > k)`. `z[:k]` comes from
    `q(z | x[:k], k)`, as if the beginning were a whole sequence. `z[k:]` comes from the prior
    given `z[:k]`, which is exact for af, iaf and none in time. One particle is picked with the
    weight

        p(z[:k] | T) p(x[:k] | z, T) / q(z[:k] | x[:k], k)

    and `x[k:]` is drawn given its z. As K grows, this becomes exact. With few particles, the
    length and whatever is uncertain in the beginning are too close to p(T) and q. The baseline
    is exact: it tries all lengths to draw T from `p(T | x[:k])`.

    An eager call is compiled with XLA, as in `sample`.

    Args:
      model: The model whose method this is.
      x: Integers `[B, k, *event_shape]`.
      prefix_lengths: k of each row, int32 `[B]`, each below `max_length`.
      lengths: T, int32 `[B]`, each above k, or 0 to draw it; None to draw all.
      num_particles: K. Unused by the baseline.
      temperature: Of what is drawn after k, as in `sample`. Weights use 1.
      seed: See `SequenceModel`.

    Returns:
      x, int32 `[B, T, *event_shape]`, which starts as given and is 0 beyond each length; and
      the lengths, int32 `[B]`.

    Raises:
      ValueError: There are no particles, a length is out of range, or the prior is a coupling.
    """
    num_particles = as_count("num_particles", num_particles)
    x, prefix_lengths = model._batch_of(x, prefix_lengths)
    temperature = as_temperature(temperature, model.compute_dtype, prefix_lengths)
    lengths = tf.zeros_like(prefix_lengths) if lengths is None else as_int32(lengths)
    lengths = _check_lengths(prefix_lengths, lengths, model.config.max_length)
    noise = noise_of(seed, tf.shape(prefix_lengths)[0])
    eager, num_given = tf.executing_eagerly(), tf.shape(x)[1]
    if eager:
        x = pad_steps(x, model._rounded(int(num_given)))
    wanted = model._graph(_wanted) if eager else functools.partial(_wanted, model)
    lengths = wanted(x, prefix_lengths, lengths, num_particles, noise.fold(0))
    num_steps = tf.maximum(tf.reduce_max(lengths), num_given)
    if eager:
        num_steps = model._rounded(int(num_steps))
    run = model._compiled(type(model)._complete) if eager else model._complete
    drawn, lengths = run(x, prefix_lengths, lengths, temperature, noise.fold(1), num_steps)
    # Of all particles one may have been longer than what was picked.
    return drawn[:, : tf.maximum(tf.reduce_max(lengths), num_given)], lengths


def _wanted(
    model: SequenceModel,
    x: tf.Tensor,
    prefix_lengths: tf.Tensor,
    lengths: tf.Tensor,
    num_particles: int,
    noise: NoiseSource,
) -> tf.Tensor:
    """The lengths of all particles, int32 `[K, B]`, as `complete` was given them."""
    told = tf.repeat(lengths[None], num_particles, axis=0)

    def draw() -> tf.Tensor:
        drawn = model._lengths_beyond(x, prefix_lengths, num_particles, noise)
        return tf.where(told > 0, told, drawn)

    # Of the baseline this is the longest part.
    return tf.cond(tf.reduce_all(lengths > 0), lambda: told, draw)


def _check_lengths(prefix_lengths: tf.Tensor, lengths: tf.Tensor, max_length: int) -> tf.Tensor:
    """Returns `lengths`, which must leave something to draw; in a graph it is checked as it runs.

    Raises:
      ValueError: A length is not above that of its beginning, or there is no such length.
      tf.errors.InvalidArgumentError: The same, where only a running graph knows the lengths.
    """
    if not lengths.shape.is_compatible_with(prefix_lengths.shape):
        raise ValueError(f"expected lengths of shape {prefix_lengths.shape}; got {lengths.shape}")
    begun, known = tf.get_static_value(prefix_lengths), tf.get_static_value(lengths)
    if begun is None or known is None:
        told, drawn = lengths > prefix_lengths, (lengths == 0) & (prefix_lengths < max_length)
        expected = f"expected lengths above those of the beginnings, or 0 below {max_length};"
        return require(told | drawn, [expected, "got", lengths, "after", prefix_lengths], lengths)
    if not np.all((known > begun) | (known == 0)):
        raise ValueError(
            f"expected lengths above those of the beginnings, {begun.tolist()}; "
            f"got {known.tolist()}"
        )
    if np.any((known == 0) & (begun >= max_length)):
        raise ValueError(
            f"expected beginnings shorter than max_length = {max_length}; got {np.max(begun)} steps"
        )
    return lengths
