"""`q(z | x, T)`, as an inference network returns it."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from bijectors.masks import mask_steps
from tf_latentflow.networks.normal import noise_log_probs
from tf_latentflow.noise import NoiseSource

__all__ = ["Posterior"]


class Posterior(NamedTuple):
    """`q(z | x, T) = N(z; mean, std^2)`, independent in every dimension of every step.

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
