"""The LSTM layers against a NumPy recurrence, and their hand-written gradient against autodiff."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bijectors import Execution
from tf_latentflow.networks import recurrence
from tf_latentflow.networks.lstm import BiLSTM
from tf_latentflow.networks.positions import Positions, PositionTable
from tf_latentflow.networks.recurrence import Direction, lstm_recurrence, lstm_step


def draw(*shape: int, seed: int = 0) -> tf.Tensor:
    return tf.constant(np.random.default_rng(seed).normal(0, 0.7, shape))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def numpy_lstm(projected, recurrent, h, c) -> np.ndarray:
    """`projected [T, 4U]`: the textbook formulas, one sequence, gates i, f, o, g."""
    hs = []
    for x in np.asarray(projected):
        i, f, o, g = np.split(x + h @ recurrent, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return np.array(hs)


def draw_directions(count: int) -> list[Direction]:
    shapes = Direction((5, 3, 16), (4, 16), (3, 4), (3, 4))
    return [
        Direction(*(draw(*shape, seed=4 * d + k) for k, shape in enumerate(shapes)))
        for d in range(count)
    ]


def test_recurrence_equals_numpy(float64: None) -> None:
    directions = draw_directions(2)
    for direction, hs in zip(directions, lstm_recurrence(directions, Execution()), strict=True):
        projected, recurrent, h, c = (value.numpy() for value in direction)
        for n in range(3):
            expected = numpy_lstm(projected[:, n], recurrent, h[n], c[n])
            np.testing.assert_allclose(hs[:, n], expected, atol=1e-12)


@pytest.mark.parametrize("how", ["eager", "graph", "jit", "compiled loops"])
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("shared", [True, False])
def test_recurrence_gradient_equals_autodiff(
    float64: None, monkeypatch: pytest.MonkeyPatch, shared: bool, count: int, how: str
) -> None:
    if not shared:
        monkeypatch.setattr(recurrence, "_MOST_SHARED", 0)  # As for large directions.
    directions = draw_directions(count)
    weights = [draw(5, 3, 4, seed=100 + d) for d in range(count)]

    def plain(*directions: Direction) -> list[tf.Tensor]:
        found = []
        for projected, recurrent, h, c in directions:
            hs = []
            for t in range(5):
                h, c = lstm_step(projected[t], recurrent, h, c, Execution())
                hs.append(h)
            found.append(tf.stack(hs))
        return found

    def gradients(function) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(directions)
            hs = function(*directions)
            loss = sum(tf.reduce_sum(h * w) for h, w in zip(hs, weights, strict=True))
        return tf.nest.flatten(tape.gradient(loss, directions))

    execution = Execution(compile_loops=how == "compiled loops")
    fast = lambda: gradients(lambda *d: lstm_recurrence(d, execution))  # noqa: E731
    if how != "eager":
        fast = tf.function(fast, jit_compile=how == "jit")
    found = fast()
    for a, b in zip(found, gradients(plain), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_bilstm_backward_starts_at_each_sequences_end(float64: None) -> None:
    layer = BiLSTM(3, 4, 1, max_length=9)
    inputs, lengths = draw(2, 3, 5, 3), [5, 2, 0]  # two samples of three sequences
    positions = Positions.of(tf.constant(lengths), 5, 9)
    ahead, behind = layer(inputs, tf.constant(lengths), positions)
    forward, backward = layer.forward_cells[0], layer.backward_cells[0]
    zeros = np.zeros(4)
    for s, b in np.ndindex(2, 3):
        n = lengths[b]
        x = inputs[s, b, :n]
        offset = layer.forward_positions(positions)[b, :n]
        expected = numpy_lstm(forward(x) + offset, forward.recurrent.numpy(), zeros, zeros)
        np.testing.assert_allclose(ahead[s, b, :n], expected.reshape(n, 4), atol=1e-12)
        start, end = (
            t.numpy() for t in (layer.backward_positions.start, layer.backward_positions.end)
        )
        code = np.array([start[t] + end[n - 1 - t] for t in range(n)]).reshape(n, 16)
        expected = numpy_lstm((backward(x) + code)[::-1], backward.recurrent.numpy(), zeros, zeros)
        np.testing.assert_allclose(behind[s, b, :n], expected.reshape(n, 4)[::-1], atol=1e-12)


def test_positions_beyond_the_limit_read_the_last_row_in_use() -> None:
    table = PositionTable(2, 9)
    rows = table(Positions.of(tf.constant([7]), 7, 4)).numpy()[0]
    start, end = table.start.numpy(), table.end.numpy()
    for t in range(7):
        np.testing.assert_allclose(rows[t], start[min(t, 3)] + end[min(6 - t, 3)], rtol=1e-6)
