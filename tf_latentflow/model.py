"""The latent flow: inference network, flow prior, emitter and length model in one Keras model."""

from __future__ import annotations

import math
from collections.abc import Callable

import keras
import tensorflow as tf

from bijectors import scan
from bijectors.masks import mask_steps
from tf_latentflow.batch_noise import batch_normal
from tf_latentflow.config import ModelConfig
from tf_latentflow.networks.emitters import Emitter
from tf_latentflow.networks.encoder import InferenceNetwork
from tf_latentflow.prior.flow_prior import FlowPrior, noise_log_prob
from tf_latentflow.sequence_model import ELBO, Estimate, SequenceModel, as_int32
from tf_latentflow.variation import Variations

__all__ = ["LatentFlow"]


@keras.saving.register_keras_serializable("tf_latentflow")
class LatentFlow(Variations, SequenceModel):
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
        self.compile_variations()
        self.built = True

    def _posterior(
        self, x: tf.Tensor, lengths: tf.Tensor, dropout_seed: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        positions = self._positions(lengths, tf.shape(x)[1])
        return self.inference_network(self.symbols.embed(x), lengths, positions, dropout_seed)

    def encode(self, x: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Mean and standard deviation of `q(z | x, T)`, `[B, T, H]` each."""
        x, lengths = self._batch_of(x, lengths)
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
          x: Integers `[B, T, *event_shape]`.
          lengths: int32 `[B]`.
          num_samples: S.
          seed: int32 `[2]`.
          training: Whether dropout is applied.
        """
        x, lengths = self._batch_of(x, lengths)
        seed = as_int32(seed)
        posterior = self._posterior(x, lengths, tf.random.fold_in(seed, 1) if training else None)
        noise_seed, dropout_seed = tf.unstack(tf.random.split(seed, 2))
        noise = _noise_like(posterior[0], num_samples, noise_seed)
        return self._elbo(x, lengths, posterior, noise, dropout_seed if training else None)

    def _elbo(
        self,
        x: tf.Tensor,
        lengths: tf.Tensor,
        posterior: tuple[tf.Tensor, tf.Tensor],
        noise: tf.Tensor,
        dropout_seed: tf.Tensor | None = None,
    ) -> ELBO:
        mean, log_std = posterior
        z = mask_steps(mean + tf.exp(log_std) * noise, lengths)
        log_q = noise_log_prob(noise, lengths)
        log_q -= tf.reduce_sum(mask_steps(log_std, lengths), axis=[-2, -1])
        emitter_seed = None if dropout_seed is None else tf.random.fold_in(dropout_seed, 1)
        log_p = self.prior.log_prob(z, lengths, dropout_seed)
        positions = self._positions(lengths, tf.shape(x)[1])
        features = self.emitter(z, lengths, positions, emitter_seed)
        log_probs = self.symbols.log_prob(features, x)
        reconstruction = mask_steps(log_probs, lengths, event_ndims=0)
        return ELBO(tf.reduce_sum(reconstruction, axis=-1), log_q - log_p)

    def _estimate(
        self, x: tf.Tensor, lengths: tf.Tensor, num_samples: int, seed: tf.Tensor
    ) -> Estimate:
        def noise(mean: tf.Tensor, chunk: int, index: tf.Tensor) -> tf.Tensor:
            noise_seed, _ = tf.unstack(tf.random.split(tf.random.fold_in(seed, index), 2))
            return _noise_like(mean, chunk, noise_seed)

        return self.estimate_with(noise, x, lengths, num_samples)

    def estimate_with(
        self,
        noise: Callable[[tf.Tensor, int, tf.Tensor], tf.Tensor],
        x: tf.Tensor,
        lengths: tf.Tensor,
        num_samples: int,
        most_at_once: int = 10,
    ) -> Estimate:
        """What `estimate` computes, as a function of the noise.

        Importance sampling from q, a few samples at a time: memory does not grow with K.

        Args:
          noise: `noise(mean, chunk, index)`, the noise `[chunk, B or 1, T, H]` of the samples
            `index * chunk, ...`, given `mean [B, T, H]` of q(z | x, T). Of the last chunk those
            from K on are not used.
          x: int32 `[B, T, *event_shape]`.
          lengths: int32 `[B]`.
          num_samples: K.
          most_at_once: Samples of a sequence that go through the model together, at most; more
            are faster and take more memory.
        """
        posterior = self._posterior(x, lengths)
        chunk = _chunk_size(num_samples, most_at_once)

        def draw(state: tuple, index: tf.Tensor) -> tuple[tuple, ELBO]:
            return state, self._elbo(x, lengths, posterior, noise(posterior[0], chunk, index))

        spec = tf.TensorSpec([chunk, x.shape[0]], posterior[0].dtype)
        indices = tf.range(-(-num_samples // chunk))
        _, elbo = scan(draw, (), indices, ELBO(spec, spec), parallel_iterations=1)
        reconstruction, kl = (tf.reshape(term, [-1, tf.shape(x)[0]])[:num_samples] for term in elbo)
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

    def _features(self, z: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        return self.emitter(z, lengths, self._positions(lengths, tf.shape(z)[1]))

    def _emit(
        self, z: tf.Tensor, lengths: tf.Tensor, temperature: float | tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        x = self.symbols.sample(self._features(z, lengths), temperature, seed)
        return self._within(x, lengths)

    def emit_with(
        self,
        uniform: tf.Tensor,
        z: tf.Tensor,
        lengths: tf.Tensor,
        temperature: float | tf.Tensor = 0.0,
    ) -> tf.Tensor:
        """Symbols given latents, as a function of the noise.

        Args:
          uniform: Numbers `[B, T, V]` uniform on [0, 1), of no influence at temperature 0.
          z: Latents `[B, T, H]`, zero beyond each length.
          lengths: int32 `[B]`.
          temperature: A number, or one a sequence, `[B, 1, 1]`: logits / temperature.

        Returns:
          int32 `[B, T, *event_shape]`, 0 beyond each length.
        """
        x = self.symbols.choose(self._features(z, lengths), temperature, uniform)
        return self._within(x, lengths)

    def reconstruct(self, x: tf.Tensor, lengths: tf.Tensor, seed: tf.Tensor = (0, 0)) -> tf.Tensor:
        """The most likely symbols at a sample `z ~ q(z | x, T)`: int32 like x, 0 beyond."""
        lengths, seed = as_int32(lengths), as_int32(seed)
        mean, std = self.encode(x, lengths)
        noise = tf.random.stateless_normal(tf.shape(mean), seed, dtype=mean.dtype)
        return self._emit(mask_steps(mean + std * noise, lengths), lengths, 0.0, seed)


def _chunk_size(num_samples: int, most: int) -> int:
    """Samples that go through the model together: equal chunks of at most `most`.

    That is the largest divisor of `num_samples` if it is at least half of `most`. Otherwise as few
    chunks as there can be, and less than one sample a chunk is drawn beyond `num_samples`: a prime
    number of them costs no more than its neighbours.
    """
    divisor = max(n for n in range(1, most + 1) if num_samples % n == 0)
    if 2 * divisor >= min(most, num_samples):
        return divisor
    num_chunks = -(-num_samples // most)
    return -(-num_samples // num_chunks)


def _noise_like(mean: tf.Tensor, num_samples: int, seed: tf.Tensor) -> tf.Tensor:
    """N(0, 1) of shape `[num_samples, *mean.shape]`."""
    shape = tf.concat([[num_samples], tf.shape(mean)], 0)
    return batch_normal(shape, seed, mean.dtype)
