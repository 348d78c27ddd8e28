"""The flow prior over latent sequences: four independent choices put together."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import tensorflow as tf

from bijectors import (
    HIDDEN_STRUCTURES,
    SCALAR_MAPS,
    TIME_STRUCTURES,
    AdjointInverseAutoregressiveTime,
    Compose,
    HiddenBijector,
    TimeBijector,
    with_reversals,
)
from bijectors.axes import one_step_earlier
from bijectors.masks import mask_steps
from tf_latentflow.config import ModelConfig
from tf_latentflow.networks.layer import Layer
from tf_latentflow.networks.positions import PositionTable
from tf_latentflow.noise import NoiseSource, noise_of
from tf_latentflow.prior.conditioners import Context, PositionConditioner
from tf_latentflow.prior.normal import standard_normal_log_prob
from tf_latentflow.rows import CONDITIONERS

__all__ = ["FlowPrior", "noise_log_prob"]

# The density of IAF in time is serial: its gradient is worth a way of its own.
_WITH_OWN_GRADIENT = {"iaf": AdjointInverseAutoregressiveTime}


class FlowPrior(Layer):
    """`p(z | T)`: `z = f(eps; T)`, `eps[t, h] ~ N(0, 1)`.

    `f` applies, at every step, `flow_layers` hidden bijectors with reversals between them, their
    parameters conditioned along time as `config.time` says.

    Args:
      config: Its scalar, hidden and time choices and its sizes.
      limit: Gives the number of positions seen in training, see `Positions.of`; all when None.
      name: Name of the layer.
    """

    def __init__(
        self,
        config: ModelConfig,
        limit: Callable[[], tf.Tensor] | None = None,
        name: str = "prior",
    ) -> None:
        super().__init__(name=name)
        self.config = config
        self._limit = limit or (lambda: tf.constant(config.max_length))
        self._scalar = SCALAR_MAPS[config.scalar]
        self._hidden = HIDDEN_STRUCTURES[config.hidden]
        self._time = _WITH_OWN_GRADIENT.get(config.time, TIME_STRUCTURES[config.time])
        self.past = None
        if config.conditioner is not None:
            self.past = CONDITIONERS[config.conditioner](config)
        layers = range(config.flow_layers)
        self.tables = [
            PositionTable(config.made_sizes[0], config.max_length, name=f"positions_{k}")
            for k in layers
        ]
        self.networks = [
            self._hidden.network(
                config.latent_size,
                self._scalar.num_params,
                context_size=self.past.size if self.past else 0,
                hidden_sizes=config.made_sizes,
                output_scale=self._scalar.output_scale,
                name=f"network_{k}",
            )
            for k in layers
        ]
        self.built = True

    def bijector(
        self,
        lengths: tf.Tensor,
        dropout_noise: NoiseSource | None = None,
        hidden: type[HiddenBijector] | None = None,
    ) -> TimeBijector:
        """The map from noise to latents as a TFP bijector of events `[T, H]`.

        Args:
          lengths: int32 `[B]`; steps beyond them are mapped to themselves.
          dropout_noise: While training, else None.
          hidden: Computes the hidden bijectors in place of the usual class, the same map in
            another way.
        """
        lengths = tf.convert_to_tensor(lengths, tf.int32)
        conditioner = self._conditioner(lengths, dropout_noise)
        hidden = functools.partial(self._hidden_bijector, hidden or self._hidden.bijector)
        return self._time(conditioner, hidden, lengths)

    def step_bijector(self, z: tf.Tensor, lengths: tf.Tensor, steps: Sequence[int]) -> Compose:
        """The maps from `eps[t]` to `z[t]` given `z[:t]`, one for each of some steps.

        Args:
          z: Latents `[B, T, H]`.
          lengths: int32 `[B]`.
          steps: P steps of 0 .. T - 1, within all lengths.

        Returns:
          A bijector of vectors, `[..., B, P, H]`.
        """
        conditioner = self._conditioner(tf.convert_to_tensor(lengths, tf.int32))
        # To IAF the past is the noise that it came from.
        past = self.inverse_and_log_det(z, lengths)[0] if self.config.time == "iaf" else z
        covariates = conditioner.covariates(tf.shape(z)[-2])
        features, offsets = conditioner.scan(one_step_earlier(past), covariates)
        context = Context(
            None if features is None else tf.gather(features, steps, axis=-2),
            tuple(tf.gather(offset, steps, axis=-2) for offset in offsets),
        )
        return self._hidden_bijector(self._hidden.bijector, context)

    def _conditioner(
        self, lengths: tf.Tensor, dropout_noise: NoiseSource | None = None
    ) -> PositionConditioner:
        limit = self._limit()
        if self.past is None:
            return PositionConditioner(self.tables, lengths, limit)
        return self.past.conditioner(self.tables, lengths, limit, dropout_noise)

    def _hidden_bijector(self, kind: type[HiddenBijector], context: Context) -> Compose:
        return with_reversals(
            [
                kind(network, self._scalar.from_unconstrained, context.features, offset)
                for network, offset in zip(self.networks, context.offsets, strict=True)
            ]
        )

    def forward_and_log_det(
        self, eps: tf.Tensor, lengths: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """From `eps [..., B, T, H]` to `z`, likewise, and `log|dz/deps|`, nats `[..., B]`."""
        return self.bijector(lengths).forward_and_log_det(tf.cast(eps, self.compute_dtype))

    def inverse_and_log_det(self, z: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """From `z [..., B, T, H]` to `eps`, likewise, and `log|deps/dz|`, nats `[..., B]`."""
        return self.bijector(lengths).inverse_and_log_det(tf.cast(z, self.compute_dtype))

    def log_prob(
        self, z: tf.Tensor, lengths: tf.Tensor, dropout_noise: NoiseSource | None = None
    ) -> tf.Tensor:
        """`log p(z | T) = log N(eps; 0, 1) + log|deps/dz|`: `[..., B, T, H]` to nats `[..., B]`."""
        lengths = tf.convert_to_tensor(lengths, tf.int32)
        eps, log_det = self.bijector(lengths, dropout_noise).inverse_and_log_det(
            tf.cast(z, self.compute_dtype)
        )
        return noise_log_prob(eps, lengths) + log_det

    def sample(
        self,
        lengths: tf.Tensor,
        temperature: float | tf.Tensor = 1.0,
        seed: tf.Tensor | NoiseSource | None = None,
        num_steps: int | tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Draws `z [B, T, H]`, zeros beyond each length; `eps ~ N(0, temperature^2)`.

        Args:
          lengths: int32 `[B]`.
          temperature: Standard deviation of the base noise.
          seed: int32 `[2]`, or a source of noise; None for another sample at every call.
          num_steps: T; the longest of the lengths when None.
        """
        lengths = tf.convert_to_tensor(lengths, tf.int32)
        num_steps = tf.reduce_max(lengths) if num_steps is None else num_steps
        shape = [lengths.shape[0], num_steps, self.config.latent_size]
        if shape[0] is None:
            shape[0] = tf.shape(lengths)[0]
        eps = noise_of(seed, shape[0]).normal(shape, tf.as_dtype(self.compute_dtype))
        eps = mask_steps(eps * tf.cast(temperature, eps.dtype), lengths)
        return self.bijector(lengths).forward_and_log_det(eps)[0]


def noise_log_prob(eps: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """Log-density of the base noise within each length: `[..., B, T, H]` to nats `[..., B]`."""
    # Zeros before too: what is beyond a length may not be finite.
    log_prob = standard_normal_log_prob(mask_steps(eps, lengths))
    return tf.reduce_sum(mask_steps(log_prob, lengths), axis=[-2, -1])
