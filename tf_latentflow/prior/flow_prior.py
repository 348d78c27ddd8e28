"""The flow prior over latent sequences, composed of four independent choices."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from bijectors import Compose, FlowBijector, TimeBijector
from bijectors.axes import size_of_axis
from bijectors.masks import mask_steps
from tf_latentflow.config import ModelConfig
from tf_latentflow.interfaces.inputs import (
    as_lengths,
    as_row_lengths,
    as_temperature,
    as_vectors,
    longest,
)
from tf_latentflow.layer import Layer
from tf_latentflow.networks.codebook import Codebook
from tf_latentflow.networks.normal import noise_log_probs
from tf_latentflow.noise import NoiseSource, Seed, noise_of
from tf_latentflow.prior.stage import FlowStage

__all__ = ["FlowPrior"]


class FlowPrior(Layer):
    """`p(z | T)`: `z = f(eps; T)`, `eps[t, h] ~ N(0, 1)`.

    `f` consists of `time_layers` stages, one after the other. At every step, a stage applies
    `flow_layers` hidden bijectors with reversals between them. `config.time` determines how their
    parameters depend on other steps.

    Args:
      config: Its scalar, hidden, time and conditioner choices and its sizes.
      limit: Returns the number of positions seen in training, see `Positions.of`; None for all.
      codebook: The codebook of the model, or None.
      name: Name of the layer.

    Example:
      >>> from tf_latentflow import FlowPrior, ModelConfig
      >>> prior = FlowPrior(ModelConfig.from_name("af-scf", preset="tiny"))
      >>> z = prior.sample([4, 2], seed=[0, 0])  # [B, T, H], zero beyond each length.
      >>> z.shape, prior.log_prob(z, [4, 2]).shape
      (TensorShape([2, 4, 3]), TensorShape([2]))
    """

    def __init__(
        self,
        config: ModelConfig,
        limit: Callable[[], tf.Tensor] | None = None,
        codebook: Codebook | None = None,
        name: str = "prior",
    ) -> None:
        super().__init__(name=name)
        self.config = config
        self._limit = limit or (lambda: tf.constant(config.max_length))
        # The last of them is the first to be applied to noise.
        self.stages = [
            FlowStage(config, k, codebook, name=f"stage_{k}") for k in range(config.time_layers)
        ]
        self.built = True

    @property
    def symbol_weights(self) -> list[keras.Variable]:
        return [weight for stage in self.stages for weight in stage.symbol_weights]

    def bijector(self, lengths: tf.Tensor) -> FlowBijector:
        """The map from noise to latents as a TFP bijector of events `[T, H]`.

        Args:
          lengths: int32 `[B]`; later steps are mapped to themselves.
        """
        bijectors = self._bijectors(lengths)
        return bijectors[0] if len(bijectors) == 1 else Compose(bijectors, event_ndims=2)

    def _bijectors(
        self, lengths: tf.Tensor, dropout_noise: NoiseSource | None = None
    ) -> list[TimeBijector]:
        """The bijectors of the stages."""
        lengths, limit = as_row_lengths(lengths), self._limit()
        return [
            stage.bijector(lengths, limit, dropout_noise and dropout_noise.fold(k))
            for k, stage in enumerate(self.stages)
        ]

    def check_is_causal(self) -> None:
        """Checks that the start of a sequence has a density of its own.

        Raises:
          ValueError: `z[:t]` and `eps[:t]` do not determine each other.
        """
        if not self.config.is_causal:
            raise ValueError(
                "expected a prior in which each step depends on earlier ones alone; got time="
                f"{self.config.time!r}, which gives a beginning no density of its own"
            )

    def step_bijector(self, z: tf.Tensor, lengths: tf.Tensor, steps: Sequence[int]) -> Compose:
        """The maps from `eps[t]` to `z[t]` given `z[:t]`, for selected steps.

        Args:
          z: Latents `[B, T, H]`.
          lengths: int32 `[B]`.
          steps: P steps of 0 .. T - 1, within all lengths.

        Returns:
          A bijector of vectors, `[..., B, P, H]`.

        Raises:
          ValueError: `z[t]` depends on later steps.
        """
        self.check_is_causal()
        z, lengths = self._vectors(z, lengths)
        limit = self._limit()
        maps = []
        for stage in self.stages:
            maps.append(stage.step_bijector(z, lengths, limit, steps))
            z = stage.bijector(lengths, limit).inverse(z)
        return maps[0] if len(maps) == 1 else Compose(maps)

    def forward_and_log_det(
        self, eps: tf.Tensor, lengths: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns `z` and `log|dz/deps|`, nats `[..., B]`, from `eps [..., B, T, H]`."""
        eps, lengths = self._vectors(eps, lengths)
        return self.bijector(lengths).forward_and_log_det(eps)

    def inverse_and_log_det(self, z: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns `eps` and `log|deps/dz|`, nats `[..., B]`, from `z [..., B, T, H]`."""
        z, lengths = self._vectors(z, lengths)
        return self.bijector(lengths).inverse_and_log_det(z)

    def _vectors(self, values: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return as_vectors(values, lengths, self.config.latent_size, self.compute_dtype)

    def redraw(
        self, eps: tf.Tensor, z: tf.Tensor, lengths: tf.Tensor, start: tf.Tensor, stop: tf.Tensor
    ) -> tf.Tensor:
        """`z` with the steps `start` to `stop - 1` drawn anew from their noise, given `z[:start]`.

        Args:
          eps: Noise `[..., B, T, H]`, read within the window.
          z: Latents `[B, T, H]`, 0 beyond each length.
          lengths: int32 `[B]`.
          start: First step of the window, int32.
          stop: The step after its last one, int32.

        Returns:
          `[..., B, T, H]`.

        Raises:
          ValueError: A step depends on later ones.
        """
        self.check_is_causal()
        z, lengths = self._vectors(z, lengths)
        values, _ = self._vectors(eps, lengths)
        bijectors = self._bijectors(lengths)
        outputs = [z]
        for bijector in bijectors[:-1]:
            outputs.append(bijector.inverse(outputs[-1]))
        for bijector, output in zip(reversed(bijectors), reversed(outputs), strict=True):
            values = bijector.forward_within(values, output, start, stop)
        return values

    def step_log_probs(
        self, z: tf.Tensor, lengths: tf.Tensor, dropout_noise: NoiseSource | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The contribution of each step to `log p(z | T)`, from `z [..., B, T, H]`.

        For a causal prior it is `log p(z[t] | z[:t], T)`. The sum over the first k steps is then
        `log p(z[:k] | T)`, whatever follows.

        Returns:
          eps `[..., B, T, H]`, and nats `[..., B, T]`, 0 beyond each length.
        """
        eps, lengths = self._vectors(z, lengths)
        total = tf.zeros([], eps.dtype)
        for bijector in self._bijectors(lengths, dropout_noise):
            eps, log_dets = bijector.inverse_and_step_log_dets(eps)
            total += log_dets
        return eps, noise_log_probs(eps, lengths) + total

    def log_prob(self, z: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """`log p(z | T) = log N(eps; 0, 1) + log|deps/dz|`: `[..., B, T, H]` to nats `[..., B]`."""
        return tf.reduce_sum(self.step_log_probs(z, lengths)[1], axis=-1)

    def sample(
        self,
        lengths: tf.Tensor,
        temperature: float | tf.Tensor = 1.0,
        seed: Seed = None,
        num_steps: int | tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Draws `z [B, T, H]` with `eps ~ N(0, temperature^2)`; zeros beyond each length.

        Args:
          lengths: int32 `[B]`.
          temperature: Standard deviation of the noise, from 0 to 1000.
          seed: See `SequenceModel`.
          num_steps: T; None for the maximum length.
        """
        lengths = as_lengths(lengths, num_steps)
        num_steps = longest(lengths) if num_steps is None else num_steps
        shape = [size_of_axis(lengths, 0), num_steps, self.config.latent_size]
        eps = noise_of(seed, shape[0]).normal(shape, tf.as_dtype(self.compute_dtype))
        eps = mask_steps(eps * as_temperature(temperature, self.compute_dtype, lengths), lengths)
        return self.bijector(lengths).forward_and_log_det(eps)[0]
