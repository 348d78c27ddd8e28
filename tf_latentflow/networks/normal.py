"""Normal distributions: N(0, 1), the base distribution of every flow, and `q(z | x, T)`."""

from __future__ import annotations

import math
from typing import NamedTuple

import tensorflow as tf

from bijectors.masks import mask_steps
from tf_latentflow.noise import NoiseSource

__all__ = ["Posterior", "noise_log_probs", "standard_normal_log_prob"]


def standard_normal_log_prob(values: tf.Tensor) -> tf.Tensor:
    """`log N(x; 0, 1) = -(x^2 + log(2 pi)) / 2` of each element, nats, shaped as `values`."""
    return -0.5 * (tf.square(values) + math.log(2 * math.pi))


def noise_log_probs(eps: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """Log-density of the noise of each step, from `[..., B, T, H]` to nats `[..., B, T]`.

    It is 0 beyond each length.
    """
    # Zeros before too: what is beyond a length may not be finite.
    log_probs = standard_normal_log_prob(mask_steps(eps, lengths))
    return mask_steps(tf.reduce_sum(log_probs, axis=-1), lengths, event_ndims=0)


class Posterior(NamedTuple):
    """`q(z | x, T) = N(z; mean, std^2)`, independent in every dimension of every step.

    A model asks it for `mean`, `std`, `draw_noise`, `at` and `noise_of`. Another distribution that
    has them can take its place.

    Attributes:
      mean: `[B, T, H]`.
      log_std: `[B, T, H]`.
    """

    mean: tf.Tensor
    log_std: tf.Tensor

    @property
    def std(self) -> tf.Tensor:
        """The standard deviation, `[B, T, H]`."""
        return tf.exp(self.log_std)

    def draw_noise(self, num_samples: int | tf.Tensor, source: NoiseSource) -> tf.Tensor:
        """N(0, 1) `[num_samples, B, T, H]`; `[num_samples, 1, T, H]` if all rows share it."""
        shape = tf.concat([[num_samples], tf.shape(self.mean)], axis=0)
        return source.normal(shape, self.mean.dtype)

    def at(self, noise: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The samples `z = mean + std * noise`, and the log-density of each step.

        Args:
          noise: `[..., B, T, H]`.
          lengths: int32 `[B]`.

        Returns:
          z `[..., B, T, H]` and `log q(z[t] | x, T)`, nats `[..., B, T]`; 0 beyond each length.
        """
        z = mask_steps(self.mean + self.std * noise, lengths)
        log_q = noise_log_probs(noise, lengths)
        return z, log_q - tf.reduce_sum(mask_steps(self.log_std, lengths), axis=-1)

    def noise_of(self, z: tf.Tensor) -> tf.Tensor:
        """The noise at which `at` returns `z`."""
        return (z - self.mean) / self.std
