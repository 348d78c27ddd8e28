"""Conditioners of the flow prior: position codes, and networks over other steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from bijectors import Structure
from bijectors.axes import every, size_of_axis
from bijectors.masks import zero_unless
from tf_latentflow.config import ModelConfig
from tf_latentflow.networks.attention import AttentionStack
from tf_latentflow.networks.convolution import ConvStack
from tf_latentflow.networks.lstm import LSTMStack
from tf_latentflow.networks.positions import Positions, PositionTable
from tf_latentflow.networks.sequence_network import SequenceNetwork
from tf_latentflow.networks.window import Window
from tf_latentflow.noise import NoiseSource

__all__ = [
    "Context",
    "KeptStepsConditioner",
    "NetworkConditioner",
    "NetworkMaker",
    "PositionConditioner",
    "attention",
    "conv",
    "lstm",
    "window",
]

NetworkMaker = Callable[..., SequenceNetwork]
"""An entry of `tf_latentflow.config.choices.CONDITIONERS`.

`make(config, input_size, two_sided)` is a network over vectors `[..., T, input_size]`. If it can be
two-sided, its name is in `TWO_SIDED_CONDITIONERS`. A two-sided network with `reads_mapped_steps`
reads `input_size + 1` numbers of a step; see `KeptStepsConditioner`.
"""


class Context(NamedTuple):
    """The context of a hidden bijector at a step.

    Attributes:
      features: Summary of other steps, `[..., C]`, or None.
      offsets: For each flow layer, the position codes, `[..., made_sizes[0]]`.
    """

    features: tf.Tensor | None
    offsets: tuple[tf.Tensor, ...]


class PositionConditioner:
    """Knows the position of a step, but nothing of other steps. A `bijectors.Conditioner`.

    Args:
      tables: The position table of each flow layer.
      lengths: int32 `[B]`.
      limit: Number of position codes in use; see `Positions.of`.
    """

    def __init__(
        self, tables: Sequence[PositionTable], lengths: tf.Tensor, limit: int | tf.Tensor
    ) -> None:
        self._tables = tuple(tables)
        self._lengths = lengths
        self._limit = limit

    def _positions(self, num_steps: int | tf.Tensor) -> Positions:
        return Positions.of(self._lengths, num_steps, self._limit)

    def covariates(self, batch_shape: tf.Tensor, num_steps: int | tf.Tensor) -> Structure:
        positions = self._positions(num_steps)
        return tuple(table(positions) for table in self._tables)

    def initial_state(self, batch_shape: tf.Tensor, num_steps: int | tf.Tensor) -> Structure:
        return ()

    def step(
        self, inputs: tf.Tensor, covariates: Structure, state: Structure
    ) -> tuple[Context, Structure]:
        return Context(None, covariates), state

    def scan(self, inputs: tf.Tensor, covariates: Structure) -> Context:
        return Context(None, covariates)


class NetworkConditioner(PositionConditioner):
    """A network over the vectors of other steps, plus positions. A `bijectors.Conditioner`.

    Args:
      network: Network over the steps.
      read: What the network reads of a step, from its vector `[..., H]`.
      tables: The position table of each flow layer.
      lengths: int32 `[B]`.
      limit: Number of position codes in use; see `Positions.of`.
      dropout_noise: Noise of the dropout in training; None otherwise.
    """

    def __init__(
        self,
        network: SequenceNetwork,
        read: Callable[[tf.Tensor], tf.Tensor],
        tables: Sequence[PositionTable],
        lengths: tf.Tensor,
        limit: int | tf.Tensor,
        dropout_noise: NoiseSource | None = None,
    ) -> None:
        super().__init__(tables, lengths, limit)
        self._network = network
        self._read = read
        self._dropout_noise = dropout_noise

    def covariates(self, batch_shape: tf.Tensor, num_steps: int | tf.Tensor) -> Structure:
        return (
            self._network.positions(self._positions(num_steps)),
            self._network.masks(batch_shape, num_steps, self._dropout_noise),
            super().covariates(batch_shape, num_steps),
        )

    def initial_state(self, batch_shape: tf.Tensor, num_steps: int | tf.Tensor) -> Structure:
        return self._network.initial_state(self._positions(1), batch_shape, num_steps)

    def step(
        self, inputs: tf.Tensor, covariates: Structure, state: Structure
    ) -> tuple[Context, Structure]:
        offset, masks, offsets = covariates
        features, state = self._network.step(self._read(inputs), offset, state, masks)
        return Context(features, offsets), state

    def scan(self, inputs: tf.Tensor, covariates: Structure) -> Context:
        _, masks, offsets = covariates
        positions = self._positions(size_of_axis(inputs, -2))
        features = self._network(self._read(inputs), positions, masks=masks)
        return Context(features, offsets)


class KeptStepsConditioner(NetworkConditioner):
    """A two-sided network over the kept steps. A `bijectors.CouplingConditioner`."""

    def between(self, inputs: tf.Tensor, covariates: Structure, first: int) -> Context:
        _, masks, offsets = covariates
        num_steps = size_of_axis(inputs, -2)
        kept = tf.range(num_steps)[:, None] % 2 != first
        read = zero_unless(kept, self._read(inputs))
        if self._network.reads_mapped_steps:
            # What is read may be 0 too. An unknown step has a code of its own instead: position
            # codes alone, which are small, would be normalised to the size of a symbol's.
            unknown = tf.broadcast_to(tf.cast(~kept, inputs.dtype), tf.shape(inputs[..., :1]))
            read = tf.concat([read, unknown], axis=-1)
        features = self._network.between(read, self._positions(num_steps), masks, first)
        return Context(features, tuple(every(offset, 2, first) for offset in offsets))


def lstm(config: ModelConfig, input_size: int, two_sided: bool = False) -> LSTMStack:
    """An LSTM over the vectors of earlier steps (Ziegler & Rush, 2019)."""
    if two_sided:
        raise ValueError("expected a conditioner that reads later steps too; got lstm")
    return LSTMStack(
        input_size,
        config.hidden_size,
        config.num_lstm_layers,
        config.max_length,
        config.dropout,
        name="past",
    )


def conv(num_layers: int = 6) -> NetworkMaker:
    """Dilated convolutions: see `ConvStack`."""
    return _maker(ConvStack, num_layers)


def attention(num_layers: int = 2) -> NetworkMaker:
    """Self-attention: see `AttentionStack`."""
    return _maker(AttentionStack, num_layers)


def window(num_steps: int = 4) -> NetworkMaker:
    """The nearest steps alone: see `Window`."""
    return _maker(Window, num_steps)


def _maker(
    kind: type[ConvStack] | type[AttentionStack] | type[Window], number: int
) -> NetworkMaker:
    def make(config: ModelConfig, input_size: int, two_sided: bool = False) -> SequenceNetwork:
        return kind(
            input_size + (two_sided and kind.reads_mapped_steps),  # Which steps are given, too.
            config.hidden_size,
            number,
            config.max_length,
            config.dropout,
            two_sided,
            name="past",
        )

    return make
