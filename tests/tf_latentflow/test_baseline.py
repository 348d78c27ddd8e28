"""The baseline against the same model written out in NumPy: x[t] sees x[:t], and T."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.models import draw_x, make_model
from tf_latentflow import LSTMLanguageModel
from tf_latentflow.networks.positions import PositionTable

LENGTHS = np.array([5, 3, 1])
both_emissions = pytest.mark.parametrize("emission", ["categorical", "bernoulli"])


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def log_prob_by_hand(model: LSTMLanguageModel, x: np.ndarray) -> float:
    """`log p(x | T)` of one sequence of T steps, step by step."""
    num_steps, notes, stack = len(x), x.ndim == 2, model.stack
    embedding, bias = model.symbols.embedding.numpy(), model.symbols.bias.numpy()

    def look_up(table: PositionTable, t: int) -> np.ndarray:
        return table.start.numpy()[t] + table.end.numpy()[num_steps - 1 - t]

    state = np.tanh(look_up(stack.code, 0)) @ stack.state_layer.kernel.numpy()
    h0, c0, h1, c1 = np.split(state + stack.state_layer.bias.numpy(), 4)
    states = [(h0, c0), (h1, c1)]
    total, embedded = 0.0, np.zeros(embedding.shape[1])
    for t in range(num_steps):
        inputs = embedded
        for k, (h, c) in enumerate(states):
            kernel, recurrent, cell_bias = (v.numpy() for v in stack.cells[k].variables)
            gates = inputs @ kernel + h @ recurrent + cell_bias
            if k == 0:
                gates = gates + look_up(stack.positions, t)
            i, f, o, g = np.split(gates, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            states[k], inputs = (h, c), h
        logits = embedding @ inputs + bias
        if notes:
            p = sigmoid(logits)
            total += np.log(np.where(x[t] == 1, p, 1 - p)).sum()
            embedded = x[t] @ embedding
        else:
            total += logits[x[t]] - np.log(np.exp(logits).sum())
            embedded = embedding[x[t]]
    return total


@both_emissions
def test_exact_likelihood_equals_numpy(float64: None, emission: str) -> None:
    model, x = (
        make_model("lstm", spread=0.5, num_lstm_layers=2, emission=emission),
        draw_x(emission=emission),
    )
    expected = [log_prob_by_hand(model, row[:n]) for row, n in zip(x, LENGTHS, strict=True)]
    np.testing.assert_allclose(model.estimate(x, LENGTHS).log_prob, expected, rtol=1e-10)
    log_length = np.log(1 / 9)  # Uniform up to max_length.
    np.testing.assert_allclose(
        model.log_likelihood(x, LENGTHS), np.add(expected, log_length), rtol=1e-6
    )


@both_emissions
def test_a_step_changes_its_own_and_later_probabilities_only(
    float64: None, emission: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, x = make_model("lstm", spread=0.5, emission=emission), draw_x(emission=emission)
    seen: list[tf.Tensor] = []

    def spy(features: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        seen.append(features)
        return type(model.symbols).log_prob(model.symbols, features, x)

    monkeypatch.setattr(model.symbols, "log_prob", spy)
    other = x.copy()
    other[0, 2] = 1 - other[0, 2] if emission == "bernoulli" else 1
    for values in (x, other):
        model.elbo(values, [5, 5, 5])
    changed = np.any(seen[0].numpy() != seen[1].numpy(), axis=-1)
    np.testing.assert_array_equal(changed[0], [False, False, False, True, True])
    assert not np.any(changed[1:])


def test_single_sequences_of_unlike_lengths_are_estimated_one_after_the_other() -> None:
    model = make_model("lstm")
    for length in (3, 5):
        x = draw_x(num_steps=length, batch=1)
        expected = model.elbo(x, [length]).reconstruction[0]
        np.testing.assert_allclose(model.estimate(x, [length]).log_prob, expected, rtol=1e-5)
