"""LSTM layers that take position codes as look-ups: a stack, and a bidirectional stack."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from tf_latentflow.layer import Layer
from tf_latentflow.networks.positions import Positions, PositionTable
from tf_latentflow.networks.recurrence import lstm_recurrence, lstm_step
from tf_latentflow.networks.sequence_network import Masks, SequenceNetwork
from tf_latentflow.networks.time_major import add_offset, batch_major, flip_within, time_major

__all__ = ["BiLSTM", "LSTMStack"]

_LayerState = tuple[tf.Tensor, tf.Tensor]  # h and c
LSTMState = tuple[_LayerState, ...]

# Blocks of steps that a stack is divided into. More keep two cores busier, but cost more to start.
_BLOCKS = 4


class _Cell(Layer):
    """The variables of one LSTM layer in one direction, and its input product."""

    def __init__(self, input_size: int, units: int, name: str | None = None) -> None:
        super().__init__(name=name)
        self.units = units
        # The range of PyTorch's LSTM, which the published models were trained with; the forget
        # gate starts open.
        init = units**-0.5
        self.kernel = self._add_uniform("kernel", (input_size, 4 * units), init)
        self.recurrent = self._add_uniform("recurrent", (units, 4 * units), init)
        self.bias = self.add_weight((4 * units,), "zeros", name="bias")
        self.bias.assign(np.repeat([0.0, 1.0, 0.0, 0.0], units))
        self.built = True

    def call(self, inputs: tf.Tensor, kernel: tf.Tensor | None = None) -> tf.Tensor:
        """`[..., n]` to `[..., 4U]`, by `kernel [n, 4U]` in place of its own."""
        return self.execution.product(inputs, self.kernel if kernel is None else kernel)

    def step(self, projected: tf.Tensor, state: _LayerState) -> _LayerState:
        """The next state, from what `call` returns and the state."""
        return lstm_step(projected, self.bias, self.recurrent, *state, self.execution)

    def run(self, projected: tf.Tensor, state: _LayerState) -> tuple[tf.Tensor, _LayerState]:
        """`h` of every step and the last state, from what `call` returns and the first state."""
        bias, recurrent = tf.convert_to_tensor(self.bias), tf.convert_to_tensor(self.recurrent)
        return lstm_recurrence(projected, bias, recurrent, *state, self.execution)


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
        self.state_layer = self._dense(units, 2 * num_layers * units, "initial_state")
        self.built = True

    @property
    def input_kernel(self) -> keras.Variable:
        return self.cells[0].kernel

    def initial_state(
        self, positions: Positions, batch_shape: tf.Tensor, num_steps: int | tf.Tensor
    ) -> LSTMState:
        """State before the first step: a small feed-forward function of its position code."""
        # A batch padded to no step at all still has an initial state: that of position 0.
        start = tf.zeros([1, 1], tf.int32)
        first = Positions(positions.lengths, start, _first_to_end(positions))
        state = self._apply(self.state_layer, tf.tanh(self.code(first)[:, 0]))
        state = tf.broadcast_to(state, tf.concat([batch_shape, tf.shape(state)[-1:]], 0))
        h_and_c = tf.split(state, 2 * len(self.cells), axis=-1)
        return tuple(zip(h_and_c[::2], h_and_c[1::2], strict=True))

    def step(
        self,
        inputs: tf.Tensor,
        offset: tf.Tensor,
        state: LSTMState,
        masks: Masks = (),
        kernel: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, LSTMState]:
        """One step, with `kernel [n, 4U]` in place of `input_kernel`."""
        new_state = []
        for k, (cell, layer_state) in enumerate(zip(self.cells, state, strict=True)):
            projected = cell(inputs, kernel) + offset if k == 0 else cell(inputs)
            new_state.append(cell.step(projected, layer_state))
            inputs = self._drop(new_state[-1][0], masks, k)
        return inputs, tuple(new_state)

    def call(
        self,
        inputs: tf.Tensor,
        positions: Positions,
        masks: Masks = (),
        kernel: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """All steps, with `kernel [n, 4U]` in place of `input_kernel`.

        A layer can run over the first steps while the one below runs over the next. So the steps
        are divided into blocks, and blocks that do not depend on each other run at the same time.
        """
        batch, num_steps = tf.shape(inputs)[:-2], tf.shape(inputs)[-2]
        state = self.initial_state(positions, batch, num_steps)
        states = [tuple(tf.reshape(a, [-1, self.units]) for a in layer) for layer in state]
        projected = self.cells[0](time_major(inputs), kernel)
        projected = add_offset(projected, self.positions(positions.time_major()))
        count = _BLOCKS if self.execution.compile_loops and len(self.cells) > 1 else 1
        blocks = zip(
            *(_blocks(a, count) for a in (projected, *map(time_major, masks))), strict=True
        )
        outputs = []
        for values, *block_masks in blocks:
            for k, cell in enumerate(self.cells):
                projected = values if k == 0 else cell(values)
                values, states[k] = cell.run(projected, states[k])
                values = self._drop(values, tuple(block_masks), k)
            outputs.append(values)
        rows = batch_major(tf.concat(outputs, axis=0)[:num_steps])
        return tf.reshape(rows, tf.concat([batch, [num_steps, self.units]], 0))


class BiLSTM(Layer):
    """Bidirectional LSTM layers over ragged sequences; both directions run at the same time.

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

    @property
    def input_kernels(self) -> tuple[keras.Variable, keras.Variable]:
        """The kernels of the first layer, forward and backward."""
        return self.forward_cells[0].kernel, self.backward_cells[0].kernel

    def call(
        self,
        inputs: tf.Tensor,
        positions: Positions,
        kernels: Sequence[tf.Tensor] | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Runs both directions over every sequence.

        Args:
          inputs: `[..., B, T, n]`, n the rows of the kernels. Steps beyond a length must be finite;
            they do not affect those within it.
          positions: Of the sequences.
          kernels: `[n, 4U]` each, in place of `input_kernels`.

        Returns:
          Forward and backward states of the last layer at every step, each `[..., B, T, U]`.
        """
        batch = tf.shape(inputs)[:-2]
        rows = time_major(inputs)
        num_steps, num_rows = tf.unstack(tf.shape(rows)[:2])
        lengths = positions.lengths
        copies = num_rows // tf.maximum(tf.shape(lengths)[0], 1)
        flip = flip_within(tf.tile(lengths, [copies]), num_steps)
        first = (tf.zeros([num_rows, self.units], rows.dtype),) * 2
        (forward, backward), *others = zip(self.forward_cells, self.backward_cells, strict=True)
        of_forward, of_backward = kernels or (None, None)
        positions = positions.time_major()
        codes = self.forward_positions(positions)
        ahead, _ = forward.run(add_offset(forward(rows, of_forward), codes), first)
        codes = self.backward_positions(positions.reversed())
        behind, _ = backward.run(add_offset(backward(flip(rows), of_backward), codes), first)
        for forward, backward in others:  # Each direction reads both, in its own order.
            in_order = tf.concat([ahead, flip(behind)], axis=-1)
            in_reverse = tf.concat([flip(ahead), behind], axis=-1)
            ahead, _ = forward.run(forward(in_order), first)
            behind, _ = backward.run(backward(in_reverse), first)
        shape = tf.concat([batch, [num_steps, self.units]], 0)
        return tf.reshape(batch_major(ahead), shape), tf.reshape(batch_major(flip(behind)), shape)


def _first_to_end(positions: Positions) -> tf.Tensor:
    """int32 `[B, 1]`: distance of the first step from the end, 0 when there is no step."""
    to_end = positions.to_end
    return tf.reduce_max(tf.pad(to_end, [[0, 0], [0, 1]]), axis=1, keepdims=True)


def _blocks(values: tf.Tensor, count: int) -> list[tf.Tensor]:
    """`[T, ...]` as `count` blocks of equal length, the last one padded."""
    if count == 1:
        return [values]
    missing = -tf.shape(values)[0] % count
    return tf.split(tf.pad(values, [[0, missing]] + [[0, 0]] * (values.shape.rank - 1)), count)
