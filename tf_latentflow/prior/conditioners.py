"""What conditions a flow prior: the positions, and a summary of the past."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from bijectors import Structure
from tf_latentflow.config import ModelConfig
from tf_latentflow.networks.layer import Layer
from tf_latentflow.networks.lstm import LSTMStack, State
from tf_latentflow.networks.positions import Positions, PositionTable
from tf_latentflow.noise import NoiseSource

__all__ = ["Context", "LSTMConditioner", "LSTMPast", "Past", "PositionConditioner"]


class Context(NamedTuple):
    """What a hidden bijector is told about a step.

    Attributes:
      features: Summary of the past, `[..., C]`, or None.
      offsets: For each flow layer, the look-up of the position codes, `[..., made_sizes[0]]`.
    """

    features: tf.Tensor | None
    offsets: tuple[tf.Tensor, ...]


class PositionConditioner:
    """Knows where a step stands and nothing of other steps. A `bijectors.Conditioner`.

    Args:
      tables: For each flow layer, its position table.
      lengths: int32 `[B]`.
      limit: Rows of the tables in use; see `Positions.of`.
    """

    def __init__(
        self, tables: Sequence[PositionTable], lengths: tf.Tensor, limit: int | tf.Tensor
    ) -> None:
        self._tables = tuple(tables)
        self._lengths = lengths
        self._limit = limit

    def _positions(self, num_steps: int | tf.Tensor) -> Positions:
        return Positions.of(self._lengths, num_steps, self._limit)

    def covariates(self, num_steps: int | tf.Tensor) -> Structure:
        positions = self._positions(num_steps)
        return tuple(table(positions) for table in self._tables)

    def initial_state(self, batch_shape: tf.Tensor) -> Structure:
        return ()

    def step(
        self, inputs: tf.Tensor, covariates: Structure, state: Structure
    ) -> tuple[Context, Structure]:
        return Context(None, covariates), state

    def scan(self, inputs: tf.Tensor, covariates: Structure) -> Context:
        return Context(None, covariates)


class LSTMConditioner(PositionConditioner):
    """An LSTM over the vectors of earlier steps, beside the positions. A `bijectors.Conditioner`.

    Args:
      stack: The LSTM.
      tables: For each flow layer, its position table.
      lengths: int32 `[B]`.
      limit: Rows of the tables in use; see `Positions.of`.
      dropout_noise: While training (all steps at once only), else None.
    """

    def __init__(
        self,
        stack: LSTMStack,
        tables: Sequence[PositionTable],
        lengths: tf.Tensor,
        limit: int | tf.Tensor,
        dropout_noise: NoiseSource | None = None,
    ) -> None:
        super().__init__(tables, lengths, limit)
        self._stack = stack
        self._dropout_noise = dropout_noise

    def covariates(self, num_steps: int | tf.Tensor) -> Structure:
        return self._stack.positions(self._positions(num_steps)), super().covariates(num_steps)

    def initial_state(self, batch_shape: tf.Tensor) -> State:
        return self._stack.initial_state(self._positions(1), batch_shape)

    def step(self, inputs: tf.Tensor, covariates: Structure, state: State) -> tuple[Context, State]:
        offset, offsets = covariates
        features, state = self._stack.step(inputs, offset, state)
        return Context(features, offsets), state

    def scan(self, inputs: tf.Tensor, covariates: Structure) -> Context:
        offset, offsets = covariates
        state = self.initial_state(tf.shape(inputs)[:-2])
        features = self._stack(inputs, offset, state, dropout_noise=self._dropout_noise)
        return Context(features, offsets)


class Past(Layer):
    """The contract of the entries of `tf_latentflow.rows.CONDITIONERS`: networks over the past.

    Args:
      config: Sizes and dropout.
      name: Name of the layer.

    Attributes:
      size: C, size of the summary of the past.
    """

    size: int

    def __init__(self, config: ModelConfig, name: str = "past") -> None:
        super().__init__(name=name)

    def conditioner(
        self,
        tables: Sequence[PositionTable],
        lengths: tf.Tensor,
        limit: int | tf.Tensor,
        dropout_noise: NoiseSource | None = None,
    ) -> PositionConditioner:
        """The conditioner of a batch; see `LSTMConditioner` for the arguments."""
        raise NotImplementedError


class LSTMPast(Past):
    """An LSTM over the vectors of earlier steps (Ziegler & Rush, 2019)."""

    def __init__(self, config: ModelConfig, name: str = "past") -> None:
        super().__init__(config, name)
        self.size = config.hidden_size
        self.stack = LSTMStack(
            config.latent_size,
            config.hidden_size,
            config.num_lstm_layers,
            config.max_length,
            config.dropout,
            name="lstm",
        )
        self.built = True

    def conditioner(
        self,
        tables: Sequence[PositionTable],
        lengths: tf.Tensor,
        limit: int | tf.Tensor,
        dropout_noise: NoiseSource | None = None,
    ) -> LSTMConditioner:
        return LSTMConditioner(self.stack, tables, lengths, limit, dropout_noise)
