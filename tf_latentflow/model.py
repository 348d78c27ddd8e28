"""The latent flow: inference network, flow prior, emitter and length model in one Keras model."""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from bijectors import scan
from tf_latentflow.config import ModelConfig
from tf_latentflow.emitters import Emitter
from tf_latentflow.encoder import InferenceNetwork
from tf_latentflow.prior import FlowPrior, mask_steps, standard_normal_log_prob
from tf_latentflow.sequence_model import ELBO, Estimate, SequenceModel, as_int32, batch_of

__all__ = ["LatentFlow"]


@keras.saving.register_keras_serializable("tf_latentflow")
class LatentFlow(SequenceModel):
    """A VAE over sequences whose prior is a normalizing flow (Ziegler & Rush, 2019, section 4).

        T ~ p(T);  eps[t, h] ~ N(0, 1);  z = f(eps; T);  x[t] ~ p(x[t] | z, T)

    Args:
      config: Choices and sizes.
      name: Name of the model.

    Raises:
      ValueError: `config` is that of the baseline.
    """

    def __init__(self, config: ModelConfig, name: str = "latent_flow") -> None:
        if not config.is_flow:
            raise ValueError(f"expected a configuration of a flow; got that of {config.name!r}")
        super().__init__(config, name)
        self.inference_network = InferenceNetwork(config)
        self.prior = FlowPrior(config, self._limit)
        self.emitter = Emitter(config)
        self.built = True

    def _posterior(self, x: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        positions = self._positions(lengths, tf.shape(x)[1])
        return self.inference_network(self.symbols.embed(x), lengths, positions)

    def encode(self, x: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Mean and standard deviation of `q(z | x, T)`, `[B, T, H]` each."""
        x, lengths = batch_of(x, lengths)
        mean, log_std = self._posterior(x, lengths)
        return mean, tf.exp(log_std)

    def elbo(
        self,
        x: tf.Tensor,
        lengths: tf.Tensor,
        num_samples: int = 1,
        seed: tf.Tensor = (0, 0),
        training: bool = False,
    ) -> ELBO:
        """The ELBO's terms at `num_samples` reparametrised samples of z; see `ELBO`.

        Args:
          x: int32 `[B, T]`.
          lengths: int32 `[B]`.
          num_samples: S.
          seed: int32 `[2]`.
          training: Whether dropout is applied.
        """
        x, lengths = batch_of(x, lengths)
        posterior = self._posterior(x, lengths)
        return self._elbo(x, lengths, posterior, num_samples, as_int32(seed), training)

    def _elbo(
        self,
        x: tf.Tensor,
        lengths: tf.Tensor,
        posterior: tuple[tf.Tensor, tf.Tensor],
        num_samples: int,
        seed: tf.Tensor,
        training: bool = False,
    ) -> ELBO:
        mean, log_std = posterior
        noise_seed, dropout_seed = tf.unstack(tf.random.split(seed, 2))
        shape = tf.concat([[num_samples], tf.shape(mean)], 0)
        noise = tf.random.stateless_normal(shape, noise_seed, dtype=mean.dtype)
        z = mask_steps(mean + tf.exp(log_std) * noise, lengths)
        log_q = standard_normal_log_prob(noise, lengths)
        log_q -= tf.reduce_sum(mask_steps(log_std, lengths), axis=[-2, -1])
        log_p = self.prior.log_prob(z, lengths, dropout_seed if training else None)
        features = self.emitter(z, lengths, self._positions(lengths, tf.shape(x)[1]))
        log_probs = self.symbols.log_prob(features, x)
        inside = tf.sequence_mask(lengths, tf.shape(x)[1])
        reconstruction = tf.where(inside, log_probs, tf.zeros_like(log_probs))
        return ELBO(tf.reduce_sum(reconstruction, axis=-1), log_q - log_p)

    def _estimate(
        self, x: tf.Tensor, lengths: tf.Tensor, num_samples: int, seed: tf.Tensor
    ) -> Estimate:
        """Importance sampling from q, a few samples at a time: memory does not grow with K."""
        posterior = self._posterior(x, lengths)
        chunk = max(size for size in range(1, 6) if num_samples % size == 0)

        def draw(state: tuple, index: tf.Tensor) -> tuple[tuple, ELBO]:
            chunk_seed = tf.random.fold_in(seed, index)
            return state, self._elbo(x, lengths, posterior, chunk, chunk_seed)

        spec = tf.TensorSpec([chunk, x.shape[0]], posterior[0].dtype)
        indices = tf.range(num_samples // chunk)
        _, elbo = scan(draw, (), indices, ELBO(spec, spec), parallel_iterations=1)
        reconstruction, kl = (tf.reshape(term, [num_samples, tf.shape(x)[0]]) for term in elbo)
        log_prob = tf.reduce_logsumexp(reconstruction - kl, axis=0) - math.log(num_samples)
        return Estimate(log_prob, tf.reduce_mean(reconstruction, 0), tf.reduce_mean(kl, 0))

    def _sample(
        self,
        lengths: tf.Tensor,
        temperature: tf.Tensor,
        seed: tf.Tensor,
        num_steps: int | tf.Tensor,
    ) -> tf.Tensor:
        latent_seed, symbol_seed = tf.unstack(tf.random.split(seed, 2))
        z = self.prior.sample(lengths, temperature, latent_seed, num_steps)
        return self._emit(z, lengths, temperature, symbol_seed)

    def _emit(
        self, z: tf.Tensor, lengths: tf.Tensor, temperature: float | tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        features = self.emitter(z, lengths, self._positions(lengths, tf.shape(z)[1]))
        x = self.symbols.sample(features, temperature, seed)
        return tf.where(tf.sequence_mask(lengths, tf.shape(z)[1]), x, tf.zeros_like(x))

    def reconstruct(self, x: tf.Tensor, lengths: tf.Tensor, seed: tf.Tensor = (0, 0)) -> tf.Tensor:
        """The most likely symbols at a sample `z ~ q(z | x, T)`: int32 `[B, T]`, 0 beyond."""
        lengths, seed = as_int32(lengths), as_int32(seed)
        mean, std = self.encode(x, lengths)
        noise = tf.random.stateless_normal(tf.shape(mean), seed, dtype=mean.dtype)
        return self._emit(mask_steps(mean + std * noise, lengths), lengths, 0.0, seed)

    def interpolate(
        self, x0: tf.Tensor, length0: int, x1: tf.Tensor, length1: int, steps: int
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Sequences between two, linear in the noise eps of their posterior means.

        The length is interpolated and rounded; noise beyond the shorter sequence's end counts as 0.

        Args:
          x0: int32 `[T0]`, the sequence to start from.
          length0: Its length.
          x1: int32 `[T1]`, the sequence to arrive at.
          length1: Its length.
          steps: Number of sequences, both ends included, at least 2.

        Returns:
          The most likely symbols, int32 `[steps, max length]`, and the lengths, int32 `[steps]`.
        """
        if steps < 2:
            raise ValueError(f"expected at least 2 steps; got {steps}")
        length0, length1 = int(length0), int(length1)
        num_steps = max(length0, length1)
        ends = []
        for x, length in ((x0, length0), (x1, length1)):
            x = as_int32(x)[None, :length]
            mean, _ = self.encode(x, [length])
            eps, _ = self.prior.inverse_and_log_det(mean, [length])
            ends.append(tf.pad(eps, [[0, 0], [0, num_steps - length], [0, 0]]))
        weight = tf.linspace(tf.zeros([], ends[0].dtype), 1.0, steps)[:, None, None]
        eps = (1 - weight) * ends[0] + weight * ends[1]
        lengths = tf.round((1 - weight) * length0 + weight * length1)[:, 0, 0]
        lengths = tf.cast(lengths, tf.int32)
        z, _ = self.prior.forward_and_log_det(mask_steps(eps, lengths), lengths)
        return self._emit(z, lengths, 0.0, tf.constant([0, 0])), lengths
