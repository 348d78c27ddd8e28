"""The networks over time against NumPy: the formulas of their docstrings, with dropout."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_latentflow.networks.attention import AttentionStack
from tf_latentflow.networks.convolution import ConvStack
from tf_latentflow.networks.lstm import LSTMStack
from tf_latentflow.networks.positions import Positions, PositionTable
from tf_latentflow.networks.window import Window
from tf_latentflow.noise import noise_of

UNITS, RATE, LENGTHS = 8, 0.4, (7, 4)

Drop = Callable[[int, np.ndarray], np.ndarray]


def dense(part: keras.layers.Dense, values: np.ndarray) -> np.ndarray:
    return values @ part.kernel.numpy() + part.bias.numpy()


def norm(part: keras.layers.LayerNormalization, values: np.ndarray) -> np.ndarray:
    centred = values - values.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    return scaled * part.gamma.numpy() + part.beta.numpy()


def relu(values: np.ndarray) -> np.ndarray:
    return np.maximum(values, 0)


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def codes(table: PositionTable, length: int) -> np.ndarray:
    return table.start.numpy()[:length] + table.end.numpy()[:length][::-1]


def at(values: np.ndarray, distances: tuple[int, ...]) -> np.ndarray:
    """The vectors at these distances from each step, side by side; 0 where there is none."""
    padded = np.pad(values, [(4, 4), (0, 0)])
    return np.concatenate([padded[4 + d : 4 + d + len(values)] for d in distances], axis=-1)


def conv(network: ConvStack, x: np.ndarray, drop: Drop) -> np.ndarray:
    h = dense(network.input_layer, x) + codes(network.positions, len(x))
    for k in range(2):
        d = 2**k
        read = at(norm(network.norms[k], h), (-d, 0, d) if network.two_sided else (-2 * d, -d, 0))
        h = h + dense(network.outputs[k], drop(k, relu(dense(network.taps[k], read))))
    return drop(2, norm(network.norms[2], h))


def attention(network: AttentionStack, x: np.ndarray, drop: Drop) -> np.ndarray:
    h = dense(network.input_layer, x) + codes(network.positions, len(x))
    for k in range(2):
        read = dense(network.queries[k], norm(network.norms[2 * k], h))
        query, key, value = np.split(read, 3, axis=-1)
        weights = np.exp(query @ key.T / np.sqrt(UNITS))
        weights = weights if network.two_sided else np.tril(weights)
        weights = weights / weights.sum(-1, keepdims=True)
        h = h + dense(network.attended[k], weights @ value)
        hidden = relu(dense(network.hidden[k], norm(network.norms[2 * k + 1], h)))
        h = h + dense(network.outputs[k], drop(k, hidden))
    return drop(2, norm(network.norms[4], h))


def window(network: Window, x: np.ndarray, drop: Drop) -> np.ndarray:
    distances = (-3, -1, 1, 3) if network.two_sided else (-1, 0)
    h = drop(0, relu(dense(network.hidden, at(dense(network.embedding, x), distances))))
    offset = codes(network.positions, len(x))
    return drop(1, norm(network.norm, relu(dense(network.outputs, h) + offset)))


def lstm(network: LSTMStack, x: np.ndarray, drop: Drop) -> np.ndarray:
    code = np.tanh(network.code.start.numpy()[0] + network.code.end.numpy()[len(x) - 1])
    first = np.split(dense(network.state_layer, code), 4)  # h and c of each layer.
    offset = codes(network.positions, len(x))
    for k, cell in enumerate(network.cells):
        h, c = first[2 * k : 2 * k + 2]
        states = []
        for t in range(len(x)):
            gates = x[t] @ cell.kernel.numpy() + cell.bias.numpy() + h @ cell.recurrent.numpy()
            i, f, o, g = np.split(gates + (offset[t] if k == 0 else 0), 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            states.append(h)
        x = drop(k, np.array(states))
    return x


@pytest.mark.parametrize(
    "formula, kind, options",
    [
        (conv, ConvStack, {}),
        (conv, ConvStack, {"two_sided": True}),
        (attention, AttentionStack, {}),
        (attention, AttentionStack, {"two_sided": True}),
        (window, Window, {}),
        (window, Window, {"two_sided": True}),
        (lstm, LSTMStack, {}),
    ],
)
def test_a_network_is_its_formula(float64: None, formula, kind, options: dict) -> None:
    network = kind(3, UNITS, 2, 9, dropout=RATE, **options)
    rng = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign_add(rng.normal(0, 0.5, variable.shape))
    inputs = rng.normal(size=(2, 7, 3))
    masks = network.masks(tf.constant([2]), 7, noise_of([1, 2], 2))
    found = network(tf.constant(inputs), Positions.of(tf.constant(LENGTHS), 7, 9), masks)
    for row, length in enumerate(LENGTHS):

        def drop(place: int, values: np.ndarray, row: int = row) -> np.ndarray:
            return values * masks[place].numpy()[row, : len(values)] / (1 - RATE)

        expected = formula(network, inputs[row, :length], drop)
        np.testing.assert_allclose(found[row, :length], expected, atol=1e-10)
