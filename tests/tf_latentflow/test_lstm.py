"""The LSTM layers against a NumPy recurrence, and their hand-written gradient against autodiff."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bijectors import Execution
from tf_latentflow.networks.lstm import BiLSTM, LSTMStack
from tf_latentflow.networks.positions import Positions, PositionTable
from tf_latentflow.networks.recurrence import lstm_recurrence, lstm_step
from tf_latentflow.networks.time_major import flip_within
from tf_latentflow.noise import noise_of


def draw(*shape: int, seed: int = 0) -> tf.Tensor:
    return tf.constant(np.random.default_rng(seed).normal(0, 0.7, shape))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def numpy_lstm(projected, bias, recurrent, h, c) -> np.ndarray:
    """`projected [T, 4U]`: the textbook formulas, one sequence, gates i, f, o, g."""
    hs = []
    for x in np.asarray(projected):
        i, f, o, g = np.split(x + bias + h @ recurrent, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return np.array(hs)


def draw_arguments() -> list[tf.Tensor]:
    """`projected`, `bias`, `recurrent`, `h` and `c` of three sequences."""
    shapes = (5, 3, 16), (16,), (4, 16), (3, 4), (3, 4)
    return [draw(*shape, seed=k) for k, shape in enumerate(shapes)]


def test_recurrence_equals_numpy(float64: None) -> None:
    arguments = draw_arguments()
    hs, (last_h, _) = lstm_recurrence(*arguments, Execution())
    projected, bias, recurrent, h, c = (value.numpy() for value in arguments)
    for n in range(3):
        expected = numpy_lstm(projected[:, n], bias, recurrent, h[n], c[n])
        np.testing.assert_allclose(hs[:, n], expected, atol=1e-12)
        np.testing.assert_allclose(last_h[n], expected[-1], atol=1e-12)


def test_recurrence_without_a_step_returns_its_first_state() -> None:
    projected, *others = draw_arguments()
    hs, (h, c) = lstm_recurrence(projected[:0], *others, Execution())
    assert hs.shape == (0, 3, 4)
    np.testing.assert_array_equal(h, others[2])
    np.testing.assert_array_equal(c, others[3])


@pytest.mark.parametrize("how", ["eager", "graph", "jit", "compiled loops"])
def test_recurrence_gradient_equals_autodiff(float64: None, how: str) -> None:
    arguments = draw_arguments()
    weights = draw(5, 3, 4, seed=100), draw(3, 4, seed=101), draw(3, 4, seed=102)

    def plain(projected, bias, recurrent, h, c) -> tuple:
        hs = []
        for t in range(5):
            h, c = lstm_step(projected[t], bias, recurrent, h, c, Execution())
            hs.append(h)
        return tf.stack(hs), (h, c)

    def gradients(function) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            outputs = tf.nest.flatten(function(*arguments))
            loss = sum(tf.reduce_sum(a * w) for a, w in zip(outputs, weights, strict=True))
        return tape.gradient(loss, arguments)

    execution = Execution(compile_loops=how == "compiled loops")
    fast = lambda: gradients(lambda *a: lstm_recurrence(*a, execution))  # noqa: E731
    if how != "eager":
        fast = tf.function(fast, jit_compile=how == "jit")
    for a, b in zip(fast(), gradients(plain), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


@pytest.mark.parametrize("num_steps", [1, 3, 8, 9])
def test_a_stack_in_blocks_equals_step_by_step(float64: None, num_steps: int) -> None:
    stack = LSTMStack(3, 4, 2, max_length=9, dropout=0.5)
    stack.execution = Execution(compile_loops=True)
    inputs, batch = draw(2, 3, num_steps, 3), [2, 3]  # two samples of three sequences
    positions = Positions.of(tf.constant([num_steps] * 3), num_steps, 9)
    offset = stack.positions(positions)
    first = stack.initial_state(positions, batch, num_steps)
    masks = stack.masks(batch, num_steps, noise_of([1, 2], 3))

    def step_by_step() -> tf.Tensor:
        state, outputs = first, []
        for t in range(num_steps):
            at = [mask[..., t, :] for mask in masks]
            h, state = stack.step(inputs[..., t, :], offset[:, t], state, at)
            outputs.append(h)
        return tf.stack(outputs, axis=-2)

    def loss_and_gradients(outputs) -> tuple:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(outputs() * draw(2, 3, num_steps, 4, seed=1))
        weights = [weight for cell in stack.cells for weight in cell.trainable_variables]
        return loss, tape.gradient(loss, weights)

    def all_at_once() -> tf.Tensor:
        return stack(inputs, positions, masks)

    at_once = tf.function(loss_and_gradients)(all_at_once)
    in_turn = loss_and_gradients(step_by_step)
    np.testing.assert_allclose(at_once[0], in_turn[0], atol=1e-12)
    for a, b in zip(at_once[1], in_turn[1], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_bilstm_backward_starts_at_each_sequences_end(float64: None) -> None:
    layer = BiLSTM(3, 4, 2, max_length=9)
    inputs, lengths = draw(2, 3, 5, 3), [5, 2, 0]  # two samples of three sequences
    positions = Positions.of(tf.constant(lengths), 5, 9)
    ahead, behind = layer(inputs, positions)
    zeros, code = np.zeros(4), layer.backward_positions
    for s, b in np.ndindex(2, 3):
        n = lengths[b]
        x = inputs[s, b, :n].numpy()
        offset = layer.forward_positions(positions)[b, :n].numpy()
        reversed_offset = np.array(
            [code.start.numpy()[t] + code.end.numpy()[n - 1 - t] for t in range(n)]
        ).reshape(n, 16)[::-1]
        for cells in zip(layer.forward_cells, layer.backward_cells, strict=True):
            each = []
            for cell, order, codes in zip(
                cells, (slice(None), slice(None, None, -1)), (offset, reversed_offset), strict=True
            ):
                projected = cell(x[order]).numpy() + codes
                weights = cell.bias.numpy(), cell.recurrent.numpy()
                each.append(numpy_lstm(projected, *weights, zeros, zeros).reshape(n, 4)[order])
            x, offset, reversed_offset = np.concatenate(each, axis=-1), 0, 0
        found = tf.concat([ahead[s, b, :n], behind[s, b, :n]], axis=-1)
        np.testing.assert_allclose(found, x, atol=1e-12)


def test_the_gradient_of_a_flip_is_a_flip() -> None:
    flip, values, weights = (
        flip_within(tf.constant([4, 3, 0]), 5),
        draw(5, 3, 2),
        draw(5, 3, 2, seed=1),
    )
    with tf.GradientTape() as tape:
        tape.watch(values)
        flipped = flip(values)
    np.testing.assert_array_equal(flipped[:3, 1], values[2::-1, 1])
    np.testing.assert_array_equal(tape.gradient(flipped, values, weights), flip(weights))


def test_positions_beyond_the_limit_read_the_last_row_in_use() -> None:
    table = PositionTable(2, 9)
    rows = table(Positions.of(tf.constant([7]), 7, 4)).numpy()[0]
    start, end = table.start.numpy(), table.end.numpy()
    for t in range(7):
        np.testing.assert_allclose(rows[t], start[min(t, 3)] + end[min(6 - t, 3)], rtol=1e-6)
