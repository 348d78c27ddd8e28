"""The latent flow: inference network, flow prior, emitter and length model in one Keras model."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from bijectors import scan
from tf_latentflow.config import ModelConfig
from tf_latentflow.emitters import CategoricalSymbols, Emitter
from tf_latentflow.encoder import InferenceNetwork
from tf_latentflow.length_model import LengthModel
from tf_latentflow.positions import Positions
from tf_latentflow.prior import FlowPrior, mask_steps, standard_normal_log_prob

__all__ = ["ELBO", "Estimate", "LatentFlow"]


class ELBO(NamedTuple):
    """The two terms of the bound for every sample and sequence, nats `[S, B]`.

    Attributes:
      reconstruction: `log p(x | z, T)`.
      kl: `log q(z | x, T) - log p(z | T)`, whose mean over z ~ q is the KL divergence.
    """

    reconstruction: tf.Tensor
    kl: tf.Tensor


class Estimate(NamedTuple):
    """An importance-sampling estimate for every sequence, nats `[B]`.

    Attributes:
      log_prob: `log p(x | T)`, `logsumexp_s(reconstruction - kl) - log S`.
      reconstruction: Mean of the first ELBO term over the samples.
      kl: Mean of the second.
    """

    log_prob: tf.Tensor
    reconstruction: tf.Tensor
    kl: tf.Tensor


@keras.saving.register_keras_serializable("tf_latentflow")
class LatentFlow(keras.Model):
    """A VAE over sequences whose prior is a normalizing flow (Ziegler & Rush, 2019, section 4).

        T ~ p(T);  eps[t, h] ~ N(0, 1);  z = f(eps; T);  x[t] ~ p(x[t] | z, T)

    Batch-major: `x` int32 `[B, T]`, `lengths` int32 `[B]`, rows of length 0 allowed. Seeds are
    int32 `[2]` and stateless: the same seed gives the same result.

    Args:
      config: Choices and sizes.
      name: Name of the model.

    Raises:
      ValueError: `config` is that of the baseline.
    """

    def __init__(self, config: ModelConfig, name: str = "latent_flow") -> None:
        super().__init__(name=name, dtype=keras.config.floatx())
        if not config.is_flow:
            raise ValueError(f"expected a configuration of a flow; got that of {config.name!r}")
        self.config = config
        self.length_model = LengthModel(config.max_length)
        self.symbols = CategoricalSymbols(config.vocab_size, config.hidden_size)
        self.inference_network = InferenceNetwork(config)
        self.prior = FlowPrior(config, self._limit)
        self.emitter = Emitter(config)
        self._compiled_sample = tf.function(self._sample, jit_compile=True)
        self._graph_estimate = tf.function(self._estimate, reduce_retracing=True)
        self.built = True

    def get_config(self) -> dict[str, Any]:
        return {"config": self.config.to_dict(), "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LatentFlow:
        return cls(ModelConfig.from_dict(config["config"]), name=config["name"])

    def _limit(self) -> tf.Tensor:
        return tf.convert_to_tensor(self.length_model.longest)

    def _positions(self, lengths: tf.Tensor, num_steps: int | tf.Tensor) -> Positions:
        return Positions.of(lengths, num_steps, self._limit())

    def call(self, x: tf.Tensor, lengths: tf.Tensor, training: bool = False) -> ELBO:
        """The ELBO of one sample, seed 0."""
        return self.elbo(x, lengths, training=training)

    def _posterior(self, x: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        positions = self._positions(lengths, tf.shape(x)[1])
        return self.inference_network(self.symbols.embed(x), lengths, positions)

    def encode(self, x: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Mean and standard deviation of `q(z | x, T)`, `[B, T, H]` each."""
        x, lengths = _as_int32(x), _as_int32(lengths)
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
          x: int32 `[B, T]`; what stands beyond a length has no influence, as long as it is an id.
          lengths: int32 `[B]`.
          num_samples: S.
          seed: int32 `[2]`.
          training: Whether dropout is applied.
        """
        x, lengths, seed = _as_int32(x), _as_int32(lengths), _as_int32(seed)
        return self._elbo(x, lengths, self._posterior(x, lengths), num_samples, seed, training)

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

    def estimate(
        self, x: tf.Tensor, lengths: tf.Tensor, num_samples: int = 50, seed: tf.Tensor = (0, 0)
    ) -> Estimate:
        """Estimates `log p(x | T)` by importance sampling from q; see `Estimate`.

        A few samples are drawn at a time, so that memory does not grow with their number. Called
        eagerly it runs as a graph, traced once for each number of samples.
        """
        return self._graph_estimate(_as_int32(x), _as_int32(lengths), num_samples, _as_int32(seed))

    def _estimate(
        self, x: tf.Tensor, lengths: tf.Tensor, num_samples: int, seed: tf.Tensor
    ) -> Estimate:
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

    def log_likelihood(
        self, x: tf.Tensor, lengths: tf.Tensor, num_samples: int = 50, seed: tf.Tensor = (0, 0)
    ) -> tf.Tensor:
        """Estimated `log p(x, T) = log p(x | T) + log p(T)`, nats `[B]`."""
        log_prob = self.estimate(x, lengths, num_samples, seed).log_prob
        return log_prob + self.length_model.log_prob(lengths)

    def sample(
        self, lengths: tf.Tensor, temperature: float = 1.0, seed: tf.Tensor = (0, 0)
    ) -> tf.Tensor:
        """Draws sequences of the given lengths.

        Called eagerly it compiles itself with XLA, once for each number and maximum of lengths.

        Args:
          lengths: int32 `[B]`.
          temperature: t: `eps ~ N(0, t^2)`, logits / t, the argmax at 0.
          seed: int32 `[2]`.

        Returns:
          int32 `[B, max(lengths)]`, 0 beyond each length.
        """
        lengths = _as_int32(lengths)
        temperature = tf.convert_to_tensor(temperature, self.compute_dtype)
        if tf.executing_eagerly():
            num_steps = int(np.max(lengths, initial=0))
            return self._compiled_sample(lengths, temperature, _as_int32(seed), num_steps)
        return self._sample(lengths, temperature, _as_int32(seed), tf.reduce_max(lengths))

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
        lengths, seed = _as_int32(lengths), _as_int32(seed)
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
        num_steps = max(int(length0), int(length1))
        ends = []
        for x, length in ((x0, length0), (x1, length1)):
            x = _as_int32(x)[None, : int(length)]
            mean, _ = self.encode(x, [length])
            eps, _ = self.prior.inverse_and_log_det(mean, [length])
            ends.append(tf.pad(eps, [[0, 0], [0, num_steps - int(length)], [0, 0]]))
        weight = tf.linspace(tf.zeros([], ends[0].dtype), 1.0, steps)[:, None, None]
        eps = (1 - weight) * ends[0] + weight * ends[1]
        lengths = tf.round((1 - weight) * length0 + weight * length1)[:, 0, 0]
        lengths = tf.cast(lengths, tf.int32)
        z, _ = self.prior.forward_and_log_det(mask_steps(eps, lengths), lengths)
        return self._emit(z, lengths, 0.0, tf.constant([0, 0])), lengths


def _as_int32(values: Any) -> tf.Tensor:
    return tf.cast(tf.convert_to_tensor(values), tf.int32)
