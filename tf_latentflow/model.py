"""The latent flow: inference network, flow prior, emitter and length model in one Keras model."""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from bijectors.axes import size_of_axis
from bijectors.loops import scan
from bijectors.masks import mask_steps
from tf_latentflow.conditional import continuation, fill_in, flow_continuation, variation
from tf_latentflow.config import ModelConfig
from tf_latentflow.config.choices import EMITTERS, INFERENCE_NETWORKS
from tf_latentflow.interfaces.inputs import as_count, as_lengths, as_temperature, as_vectors
from tf_latentflow.networks.codebook import Codebook, NoteCodebook, SymbolCodebook
from tf_latentflow.networks.normal import Posterior
from tf_latentflow.noise import NoiseSource, Seed, noise_of
from tf_latentflow.prior.flow_prior import FlowPrior
from tf_latentflow.sequence_model import SequenceModel, sum_steps
from tf_latentflow.terms import Terms

__all__ = ["LatentFlow"]


@keras.saving.register_keras_serializable("tf_latentflow")
class LatentFlow(SequenceModel):
    """A VAE over sequences whose prior is a normalizing flow (Ziegler & Rush, 2019, section 4).

        T ~ p(T);  eps[t, h] ~ N(0, 1);  z = f(eps; T);  x[t] ~ p(x[t] | z, T)

    Args:
      config: Choices and sizes.
      name: Name of the model.

    Raises:
      ValueError: `config` describes the baseline.

    Example:
      >>> from tf_latentflow import LatentFlow, ModelConfig
      >>> model = LatentFlow(ModelConfig.from_name("codebook", preset="tiny", vocab_size=5))
      >>> x, lengths = tf.constant([[2, 3, 4], [4, 2, 0]]), tf.constant([3, 2])
      >>> elbo = model.elbo(x, lengths, num_samples=7, seed=[0, 0])
      >>> elbo.kl.shape
      TensorShape([7, 2])
      >>> mean, std = model.encode(x, lengths)  # of q(z | x, T)
      >>> mean.shape
      TensorShape([2, 3, 5])
      >>> model.reconstruct(x, lengths, seed=[0, 1]).shape
      TensorShape([2, 3])
    """

    def __init__(self, config: ModelConfig, name: str = "latent_flow") -> None:
        if not config.is_flow:
            raise ValueError(f"expected a configuration of a flow; got that of {config.name!r}")
        super().__init__(config, name)
        self.codebook: Codebook | None = None
        if config.inference == "codebook":
            self.codebook = (
                SymbolCodebook(config.vocab_size, config.latent_size)
                if config.is_text
                else NoteCodebook(config.vocab_size)
            )
        self.inference_network = INFERENCE_NETWORKS[config.inference](config)
        self.prior = FlowPrior(config, self._limit, self.codebook)
        self.emitter = EMITTERS[config.emitter](config)
        self.built = True

    # Functions of a model, as its methods.
    complete = continuation.complete
    _lengths_beyond, _complete = flow_continuation.lengths_beyond, flow_continuation.complete
    fill_in = fill_in.fill_in
    vary, interpolate = variation.vary, variation.interpolate

    def _posterior(
        self, x: tf.Tensor, lengths: tf.Tensor, dropout_noise: NoiseSource | None = None
    ) -> Posterior:
        positions = self._positions(lengths, tf.shape(x)[1])
        return self.inference_network(
            x, positions, symbols=self.symbols, codebook=self.codebook, dropout_noise=dropout_noise
        )

    def logits(
        self, z: tf.Tensor, lengths: tf.Tensor, dropout_noise: NoiseSource | None = None
    ) -> tf.Tensor:
        """Logits of x, `[..., V]`, given latents `z [..., B, T, H]`, zero beyond each length."""
        z, lengths = as_vectors(z, lengths, self.config.latent_size, self.compute_dtype)
        positions = self._positions(lengths, tf.shape(z)[-2])
        return self.emitter(
            z, positions, symbols=self.symbols, codebook=self.codebook, dropout_noise=dropout_noise
        )

    def encode(self, x: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Mean and standard deviation of `q(z | x, T)`, each `[B, T, H]`."""
        x, lengths = self._batch_of(x, lengths)
        posterior = self._posterior(x, lengths)
        return posterior.mean, posterior.std

    def elbo_by_step(
        self,
        x: tf.Tensor,
        lengths: tf.Tensor,
        num_samples: int = 1,
        seed: Seed = None,
        training: bool = False,
    ) -> Terms:
        """The contribution of each step to `elbo`, for the same samples: nats `[S, B, T]`.

        It is 0 beyond each length.

            reconstruction[t] = log p(x[t] | z, T)
            kl[t]             = log q(z[t] | x, T) - log p(z[t] | z[:t], T)

        If the prior is not causal, the second term of `kl[t]` is only a share of `log p(z | T)`.
        """
        num_samples = as_count("num_samples", num_samples)
        x, lengths = self._batch_of(x, lengths)
        noise = noise_of(seed, tf.shape(lengths)[0])
        posterior = self._posterior(x, lengths, noise.fold(1) if training else None)
        normal = posterior.draw_noise(num_samples, noise.fold(0))
        return self._elbo(x, lengths, posterior, normal, noise.fold(2) if training else None)

    def _elbo(
        self,
        x: tf.Tensor,
        lengths: tf.Tensor,
        posterior: Posterior,
        normal: tf.Tensor,
        dropout_noise: NoiseSource | None = None,
    ) -> Terms:
        """The terms of each step at `z = mean + std * normal`."""
        z, log_q = posterior.at(normal, lengths)
        prior_noise, emitter_noise = (dropout_noise and dropout_noise.fold(k) for k in (0, 1))
        kl = log_q - self.prior.step_log_probs(z, lengths, prior_noise)[1]
        logits = self.logits(z, lengths, emitter_noise)
        reconstruction = mask_steps(self.symbols.log_prob(logits, x), lengths, event_ndims=0)
        return Terms(reconstruction, kl, reconstruction - kl)

    def _estimate(
        self,
        x: tf.Tensor,
        lengths: tf.Tensor,
        num_samples: int,
        noise: NoiseSource,
        most_at_once: int,
    ) -> Terms:
        """Importance sampling from q, a few samples at a time: memory does not grow with K."""
        posterior = self._posterior(x, lengths)
        chunk = _chunk_size(num_samples, most_at_once)

        def draw(state: tuple, index: tf.Tensor) -> tuple[tuple, Terms]:
            normal = posterior.draw_noise(chunk, noise.fold(index))
            return state, sum_steps(self._elbo(x, lengths, posterior, normal))

        spec = tf.TensorSpec([chunk, x.shape[0]], posterior.mean.dtype)
        indices = tf.range(-(-num_samples // chunk))
        _, elbo = scan(draw, (), indices, Terms(spec, spec, spec), parallel_iterations=1)
        elbo = Terms(*(tf.reshape(term, [-1, tf.shape(x)[0]])[:num_samples] for term in elbo))
        log_prob = tf.reduce_logsumexp(elbo.log_prob, axis=0) - math.log(num_samples)
        return Terms(tf.reduce_mean(elbo.reconstruction, 0), tf.reduce_mean(elbo.kl, 0), log_prob)

    def _sample(
        self,
        lengths: tf.Tensor,
        temperature: tf.Tensor,
        noise: NoiseSource,
        num_steps: int | tf.Tensor,
    ) -> tf.Tensor:
        z = self.prior.sample(lengths, temperature, noise.fold(0), num_steps)
        return self.emit(z, lengths, temperature, noise.fold(1))

    def emit(
        self,
        z: tf.Tensor,
        lengths: tf.Tensor,
        temperature: float | tf.Tensor = 0.0,
        seed: Seed = None,
    ) -> tf.Tensor:
        """Draws symbols given latents.

        Args:
          z: Latents `[B, T, H]`, zero beyond each length.
          lengths: int32 `[B]`.
          temperature: Divides the logits: a number, or `[B, 1, 1]` for one per sequence. 0 gives
            the most likely symbols.
          seed: See `SequenceModel`; without effect at temperature 0.

        Returns:
          int32 `[B, T, *event_shape]`, 0 beyond each length.
        """
        z, lengths = as_vectors(z, lengths, self.config.latent_size, self.compute_dtype)
        lengths = as_lengths(lengths, size_of_axis(z, -2))
        temperature = as_temperature(temperature, self.compute_dtype, lengths)
        noise = noise_of(seed, tf.shape(lengths)[0])
        x = self.symbols.sample(self.logits(z, lengths), temperature, noise)
        return self._within(x, lengths)

    def reconstruct(self, x: tf.Tensor, lengths: tf.Tensor, seed: Seed = None) -> tf.Tensor:
        """The most likely symbols at a sample `z ~ q(z | x, T)`: int32 like x, 0 beyond."""
        x, lengths = self._batch_of(x, lengths)
        posterior = self._posterior(x, lengths)
        noise = noise_of(seed, tf.shape(lengths)[0])
        z, _ = posterior.at(posterior.draw_noise(1, noise.fold(0))[0], lengths)
        return self.emit(z, lengths, 0.0, noise.fold(1))


def _chunk_size(num_samples: int, most: int) -> int:
    """The number of samples that pass through the model together: equal chunks of at most `most`.

    This is the largest divisor of `num_samples`, if it is at least half of `most`. Otherwise there
    are as few chunks as possible, which draw less than one extra sample each. A prime number of
    samples thus costs no more than its neighbours.
    """
    divisor = max(n for n in range(1, most + 1) if num_samples % n == 0)
    if 2 * divisor >= min(most, num_samples):
        return divisor
    num_chunks = -(-num_samples // most)
    return -(-num_samples // num_chunks)
