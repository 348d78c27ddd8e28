"""One stage of a flow prior along time: its networks, and the bijector they define."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from bijectors import (
    HIDDEN_STRUCTURES,
    SCALAR_MAPS,
    Compose,
    TimeBijector,
    with_reversals,
)
from tf_latentflow.config import ModelConfig
from tf_latentflow.config.choices import CONDITIONER_INPUTS, CONDITIONERS
from tf_latentflow.layer import Layer
from tf_latentflow.networks.codebook import Codebook
from tf_latentflow.networks.positions import PositionTable
from tf_latentflow.noise import NoiseSource
from tf_latentflow.prior.conditioners import (
    Context,
    KeptStepsConditioner,
    NetworkConditioner,
    PositionConditioner,
)
from tf_latentflow.prior.plan import stage_plan

__all__ = ["FlowStage"]


class FlowStage(Layer):
    """`flow_layers` hidden bijectors at every step, conditioned on other steps by `config.time`.

    Args:
      config: Its scalar, hidden, time and conditioner choices and its sizes.
      number: Its place in the prior; stage 0 is next to z.
      codebook: The codebook of the model, or None.
      name: Name of the layer.
    """

    def __init__(
        self,
        config: ModelConfig,
        number: int = 0,
        codebook: Codebook | None = None,
        name: str = "stage",
    ) -> None:
        super().__init__(name=name)
        self._config = config
        self._scalar = SCALAR_MAPS[config.scalar]
        self._hidden = HIDDEN_STRUCTURES[config.hidden]
        self._plan = plan = stage_plan(config, number)
        self.time_network = None
        if plan.reads_other_steps:
            reader = CONDITIONER_INPUTS[config.conditioner_input](config, codebook)
            make = CONDITIONERS[config.conditioner]
            self.time_network = make(config, reader.size, two_sided=plan.is_coupling)
            self._read = reader.read
        layers = range(config.flow_layers)
        self.tables = [
            PositionTable(config.made_sizes[0], config.max_length, name=f"positions_{k}")
            for k in layers
        ]
        self.networks = [
            self._hidden.network(
                config.latent_size,
                self._scalar.num_params,
                context_size=self.time_network.units if self.time_network else 0,
                hidden_sizes=config.made_sizes,
                output_scale=self._scalar.output_scale,
                name=f"network_{k}",
            )
            for k in layers
        ]
        self.built = True

    @property
    def symbol_weights(self) -> list[keras.Variable]:
        reads_symbols = self.time_network and self._config.conditioner_input == "symbols"
        return [self.time_network.input_kernel] if reads_symbols else []

    def bijector(
        self,
        lengths: tf.Tensor,
        limit: int | tf.Tensor,
        dropout_noise: NoiseSource | None = None,
    ) -> TimeBijector:
        """The map as a TFP bijector of events `[T, H]`; see `FlowPrior.bijector`.

        Args:
          lengths: int32 `[B]`.
          limit: Number of position codes in use; see `Positions.of`.
          dropout_noise: Noise of the dropout in training; None otherwise.
        """
        conditioner = self._conditioner(lengths, limit, dropout_noise)
        return self._plan.bijector(conditioner, self._hidden_bijector, lengths, self.compute_dtype)

    def step_bijector(
        self, z: tf.Tensor, lengths: tf.Tensor, limit: int | tf.Tensor, steps: Sequence[int]
    ) -> Compose:
        """The maps of selected steps, given the output of the stage at all steps; see `FlowPrior`.

        The prior must be causal.
        """
        features, offsets = self.bijector(lengths, limit).contexts(z)
        context = Context(
            None if features is None else tf.gather(features, steps, axis=-2),
            tuple(tf.gather(offset, steps, axis=-2) for offset in offsets),
        )
        return self._hidden_bijector(context)

    def _conditioner(
        self, lengths: tf.Tensor, limit: int | tf.Tensor, dropout_noise: NoiseSource | None = None
    ) -> PositionConditioner:
        lengths, limit = self._plan.of_its_steps(lengths), self._plan.of_its_steps(limit)
        if self.time_network is None:
            return PositionConditioner(self.tables, lengths, limit)
        kind = KeptStepsConditioner if self._plan.is_coupling else NetworkConditioner
        return kind(self.time_network, self._read, self.tables, lengths, limit, dropout_noise)

    def _hidden_bijector(self, context: Context) -> Compose:
        kind = self._hidden.bijector
        if self.execution.sweep_dimensions:
            kind = self._hidden.sweeping or kind
        return with_reversals(
            [
                kind(network, self._scalar.from_unconstrained, context.features, offset)
                for network, offset in zip(self.networks, context.offsets, strict=True)
            ]
        )
