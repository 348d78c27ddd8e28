"""LSTM layers that take position codes as look-ups: a stack, and a bidirectional stack."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from tf_latentflow.networks.layer import Layer
from tf_latentflow.networks.positions import Positions, PositionTable
from tf_latentflow.networks.recurrence import Direction, lstm_recurrence, lstm_step
from tf_latentflow.networks.sequence_network import Masks, SequenceNetwork, dense
from tf_latentflow.networks.time_major import add_offset, batch_major, flip_within, time_major

__all__ = ["BiLSTM", "LSTMStack", "LSTMState"]

LSTMState = tuple[tuple[tf.Tensor, tf.Tensor], ...]  # (h, c) of each layer


class _Cell(Layer):
    """The variables of one LSTM layer in one direction, and its input product."""

    def __init__(self, input_size: int, units: int, name: str | None = None) -> None:
        super().__init__(name=name)
        self.units = units
        self._input_size = input_size
        self.build()

    def build(self, input_shape: None = None) -> None:
        units = self.units
        # The range of PyTorch's LSTM, which the published models were trained with; the forget
        # gate starts open.
        init = keras.initializers.RandomUniform(-1 / np.sqrt(units), 1 / np.sqrt(units))
        self.kernel = self.add_weight((self._input_size, 4 * units), init, name="kernel")
        self.recurrent = self.add_weight((units, 4 * units), init, name="recurrent")
        self.bias = self.add_weight((4 * units,), "zeros", name="bias")
        self.bias.assign(np.repeat([0.0, 1.0, 0.0, 0.0], units))
        self.built = True

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """`[..., input_size]` to `[..., 4U]`."""
        return self.execution.product(inputs, self.kernel) + self.bias

    def direction(self, projected: tf.Tensor, h: tf.Tensor, c: tf.Tensor) -> Direction:
        """What the recurrence reads, from what `call` returns and the first state."""
        return Direction(projected, tf.convert_to_tensor(self.recurrent), h, c)


class LSTMStack(SequenceNetwork):
    """LSTM layers on top of each other, computed for all steps or step by step.

    Args:
      input_size: Size of an input vector.
      units: U.
      num_layers: Number of layers.
      max_length: Rows of the position tables.
      dropout: Dropout rate between layers and on the output.
      name: Name of the layer.
    """

    def __init__(
        self,
        input_size: int,
        units: int,
        num_layers: int,
        max_length: int,
        dropout: float = 0.0,
        name: str | None = None,
    ) -> None:
        super().__init__(units, [units] * num_layers, dropout, name=name)
        sizes = [input_size] + [units] * (num_layers - 1)
        self.cells = [_Cell(size, units, name=f"cell_{k}") for k, size in enumerate(sizes)]
        self.positions = PositionTable(4 * units, max_length, name="positions")
        self.code = PositionTable(units, max_length, init=0.5, name="initial_code")
        self.state_layer = dense(self, units, 2 * num_layers * units, "initial_state")
        self.built = True

    @property
    def input_kernel(self) -> keras.Variable:
        return self.cells[0].kernel

    def initial_state(
        self, positions: Positions, batch_shape: tf.Tensor, num_steps: int | tf.Tensor
    ) -> LSTMState:
        """State before the first step: a small feed-forward function of its position code."""
        # A batch padded to no step at all still has an initial state: that of position 0.
        first = Positions(tf.zeros([1, 1], tf.int32), _first_to_end(positions))
        state = self._apply(self.state_layer, tf.tanh(self.code(first)[:, 0]))
        state = tf.broadcast_to(state, tf.concat([batch_shape, tf.shape(state)[-1:]], 0))
        h_and_c = tf.split(state, 2 * len(self.cells), axis=-1)
        return tuple(zip(h_and_c[::2], h_and_c[1::2], strict=True))

    def step(
        self, inputs: tf.Tensor, offset: tf.Tensor, state: LSTMState, masks: Masks = ()
    ) -> tuple[tf.Tensor, LSTMState]:
        """One step; `offset [B, 4U]`."""
        new_state = []
        for k, (cell, (h, c)) in enumerate(zip(self.cells, state, strict=True)):
            projected = cell(inputs) + offset if k == 0 else cell(inputs)
            h, c = lstm_step(projected, cell.recurrent, h, c, self.execution)
            new_state.append((h, c))
            inputs = self._drop(h, masks, k)
        return inputs, tuple(new_state)

    def call(
        self, inputs: tf.Tensor, offset: tf.Tensor, state: LSTMState, masks: Masks = ()
    ) -> tf.Tensor:
        """All steps; `offset [B, T, 4U]`."""
        batch = tf.shape(inputs)[:-1]
        rows = time_major(inputs)
        masks = tuple(time_major(mask) for mask in masks)
        for k, (cell, (h, c)) in enumerate(zip(self.cells, state, strict=True)):
            projected = cell(rows)
            if k == 0:
                projected = add_offset(projected, offset)
            h, c = (tf.reshape(a, [-1, self.units]) for a in (h, c))
            (rows,) = lstm_recurrence([cell.direction(projected, h, c)], self.execution)
            rows = self._drop(rows, masks, k)
        return tf.reshape(batch_major(rows), tf.concat([batch, [self.units]], 0))


class BiLSTM(Layer):
    """Bidirectional LSTM layers over ragged sequences, with both directions of a layer in one loop.

    The backward direction starts at the last step of each sequence. Layers after the first read
    both directions of the layer below.

    Args:
      input_size: Size of an input vector.
      units: U, of each direction.
      num_layers: Number of layers.
      max_length: Rows of the position tables.
      name: Name of the layer.
    """

    def __init__(
        self,
        input_size: int,
        units: int,
        num_layers: int,
        max_length: int,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.units = units
        sizes = [input_size] + [2 * units] * (num_layers - 1)
        self.forward_cells = [_Cell(n, units, name=f"forward_{k}") for k, n in enumerate(sizes)]
        self.backward_cells = [_Cell(n, units, name=f"backward_{k}") for k, n in enumerate(sizes)]
        self.forward_positions = PositionTable(4 * units, max_length, name="forward_positions")
        self.backward_positions = PositionTable(4 * units, max_length, name="backward_positions")
        self.built = True

    def call(
        self, inputs: tf.Tensor, lengths: tf.Tensor, positions: Positions
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Runs both directions over every sequence.

        Args:
          inputs: `[..., B, T, input_size]`. Steps beyond a length must be finite; they do not
            affect those within it.
          lengths: int32 `[B]`.
          positions: Of the same sequences.

        Returns:
          Forward and backward states of the last layer at every step, each `[..., B, T, U]`.
        """
        batch = tf.shape(inputs)[:-2]
        rows = time_major(inputs)
        num_steps, num_rows = tf.unstack(tf.shape(rows)[:2])
        copies = num_rows // tf.maximum(tf.shape(lengths)[0], 1)
        flip = flip_within(tf.tile(lengths, [copies]), num_steps)
        offsets = (
            self.forward_positions(positions),
            self.backward_positions(positions.reversed()),
        )
        cells = zip(self.forward_cells, self.backward_cells, strict=True)
        for k, (forward, backward) in enumerate(cells):
            both = [forward(rows), backward(flip(rows))]
            if k == 0:
                both = [add_offset(a, offset) for a, offset in zip(both, offsets, strict=True)]
            zeros = tf.zeros([num_rows, self.units], rows.dtype)
            ahead, behind = lstm_recurrence(
                [
                    forward.direction(both[0], zeros, zeros),
                    backward.direction(both[1], zeros, zeros),
                ],
                self.execution,
            )
            behind = flip(behind)
            rows = tf.concat([ahead, behind], axis=-1)
        shape = tf.concat([batch, [num_steps, self.units]], 0)
        return tf.reshape(batch_major(ahead), shape), tf.reshape(batch_major(behind), shape)


def _first_to_end(positions: Positions) -> tf.Tensor:
    """int32 `[B, 1]`: distance of the first step from the end, 0 when there is no step."""
    to_end = positions.to_end
    return tf.reduce_max(tf.pad(to_end, [[0, 0], [0, 1]]), axis=1, keepdims=True)
