"""How a model is computed, and what its random numbers are: no hidden state decides either."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from bijectors import Execution
from tests.models import LENGTHS, draw_x, make_model
from tf_latentflow import Noise

EXECUTIONS = (Execution(), Execution(products="bfloat16"), Execution(compile_loops=True))


def log_prob(model: keras.Model) -> np.ndarray:
    return model.estimate(draw_x(), LENGTHS, 2, (1, 2)).log_prob.numpy()


@pytest.mark.parametrize("name", [pytest.param("codebook", marks=pytest.mark.nightly), "lstm"])
def test_the_order_of_executions_does_not_matter(name: str) -> None:
    found: list[list[np.ndarray]] = []
    for order in ((0, 1, 2), (2, 1, 0)):
        model = make_model(name, spread=0.2)
        values: dict[int, np.ndarray] = {}
        for i in order:
            model.execution = EXECUTIONS[i]
            values[i] = log_prob(model)
        found.append([values[i] for i in range(3)])
    for first, second in zip(*found, strict=True):
        np.testing.assert_array_equal(first, second)
    exact, rounded, compiled = found[0]
    assert np.abs(rounded - exact).max() > 1e-5
    np.testing.assert_allclose(rounded, exact, rtol=0.05)
    np.testing.assert_allclose(compiled, exact, rtol=1e-5)


def test_only_compiled_loops_need_a_compiler() -> None:
    model = make_model("lstm")
    for compiled in (False, True):
        model.execution = Execution(compile_loops=compiled)
        function = tf.function(lambda: model.elbo(draw_x(), LENGTHS), autograph=False)
        library = function.get_concrete_function().graph.as_graph_def().library.function
        assert any(f.attr["_XlaMustCompile"].b for f in library) == compiled


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("lstm", {}),
        ("af-af", {}),
        ("af-af", {"conditioner": "attention:2", "emission": "made"}),
        ("multiscale", {"conditioner": "conv:2"}),
    ],
)
def test_no_two_weights_start_from_the_same_random_numbers(
    name: str, fields: dict[str, str]
) -> None:
    model = make_model(name, spread=0, num_lstm_layers=2, **fields)
    starts: dict[bytes, str] = {}
    for variable in model.variables:
        value = variable.numpy()
        if len(np.unique(value)) > 2:  # The biases of an LSTM are 0 and 1.
            assert starts.setdefault(value.tobytes(), variable.path) == variable.path


@pytest.mark.parametrize(
    ("name", "weights", "least", "most"),
    [
        ("lstm", lambda m: m.symbols.embedding, -np.sqrt(6 / 22), np.sqrt(6 / 22)),
        ("lstm", lambda m: m.stack.cells[0].recurrent, -1 / 4, 1 / 4),
        ("lstm", lambda m: m.stack.cells[0].bias[16:32], 1, 1),  # The forget gate is open.
        ("lstm", lambda m: m.stack.positions.end, -0.05, 0.05),
        ("lstm", lambda m: m.stack.code.end, -0.5, 0.5),
        ("af-af", lambda m: m.prior.stages[0].networks[0].kernels[-1], -0.07, 0.07),
        (
            "af-af",
            lambda m: m.prior.stages[0].networks[0].context_output_kernel,
            -0.07 / 4,
            0.07 / 4,
        ),
        ("codebook", lambda m: m.codebook.log_std, -1.5, -1.5),
    ],
)
def test_weights_start_in_their_range(name: str, weights, least: float, most: float) -> None:
    values = tf.convert_to_tensor(weights(make_model(name, spread=0))).numpy()
    np.testing.assert_allclose([values.min(), values.max()], [least, most], rtol=0.1)


WAYS: dict[str, Callable[[keras.Model], tf.Tensor]] = {
    "elbo": lambda model: model.elbo(draw_x(), LENGTHS).log_prob,
    "training": lambda model: model.elbo(draw_x(), LENGTHS, training=True).log_prob,
    "call": lambda model: model(draw_x(), LENGTHS).log_prob,
    "estimate": lambda model: model.estimate(draw_x(), LENGTHS, 2).log_prob,
    "log_likelihood": lambda model: model.log_likelihood(draw_x(), LENGTHS, 2),
    "sample": lambda model: model.sample([9, 9, 9]),
    "vary": lambda model: model.vary(draw_x(), LENGTHS, 1.0, temperature=1.0),
    "reconstruct": lambda model: model.reconstruct(draw_x(), LENGTHS),
    "lengths": lambda model: model.length_model.sample(9),
    "prior": lambda model: model.prior.sample([9, 9, 9]),
}
# `vary` compiles itself; most of the others share their source of noise with these.
IN_A_GRAPH = dict.fromkeys(("training", "estimate", "sample"), ())
IN_A_GRAPH |= {way: pytest.mark.nightly for way in WAYS if way not in (*IN_A_GRAPH, "vary")}


@pytest.mark.parametrize(
    ("way", "graph"),
    [
        *((way, False) for way in WAYS if way != "log_likelihood"),
        pytest.param("log_likelihood", False, marks=pytest.mark.nightly),  # Much as `estimate`.
        *(pytest.param(way, True, marks=marks) for way, marks in IN_A_GRAPH.items()),
    ],
)
def test_without_a_seed_each_call_is_another_and_repeats_with_keras(way: str, graph: bool) -> None:
    model = make_model("af-only", spread=0.5, inference="local", emitter="local", flow_layers=1)
    draw = WAYS[way]
    if graph:
        draw = tf.function(draw, autograph=False)
    keras.utils.set_random_seed(5)
    # The most likely symbols may be the same twice by chance.
    first = [draw(model).numpy() for _ in range(4)]
    keras.utils.set_random_seed(5)
    again = [draw(model).numpy() for _ in range(4)]
    np.testing.assert_array_equal(first, again)
    assert np.any(first[0] != first[1:])


def test_a_row_keeps_its_noise_in_any_batch_and_padding() -> None:
    whole = Noise(tf.constant([3, 4]), tf.range(5)).normal([2, 5, 7, 3], tf.float32)
    rows = Noise(tf.constant([3, 4]), tf.constant([4, 1])).normal([2, 2, 9, 3], tf.float32)
    np.testing.assert_array_equal(rows[:, :, :7], tf.gather(whole, [4, 1], axis=1))
    flat = np.reshape(np.transpose(whole, [1, 0, 2, 3]), [5, -1])
    assert len(np.unique(flat)) == flat.size
    folded = Noise(tf.constant([3, 4]), tf.range(5)).fold(1).normal([2, 5, 7, 3], tf.float32)
    assert not np.any(folded == whole)


def test_noise_is_drawn_for_its_own_rows_alone() -> None:
    noise = Noise(tf.constant([3, 4]), tf.range(2))
    with pytest.raises(ValueError, match="expected noise of 2 rows; got 5 to draw"):
        noise.normal([5, 3, 1], tf.float32)


def test_draws_of_any_rank_are_the_same_eagerly_and_in_a_graph() -> None:
    noise = Noise(tf.constant([3, 4]), tf.range(2))
    for shape in ([2, 5, 3], [4, 2, 5, 3], [6, 4, 2, 5, 3], [2, 5, 3]):
        drawn = noise.normal(tf.constant(shape), tf.float32)
        assert drawn.shape == shape
        traced = tf.function(noise.normal)(tf.constant(shape), tf.float32)
        np.testing.assert_array_equal(drawn, traced)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_no_rows_have_no_noise(jit_compile: bool) -> None:
    @tf.function(jit_compile=jit_compile, input_signature=[tf.TensorSpec([None, None, 2])])
    def draw(values: tf.Tensor) -> tf.Tensor:
        noise = Noise(tf.constant([3, 4]), tf.range(tf.shape(values)[0]))
        return noise.normal(tf.shape(values), tf.float32)

    assert draw(tf.zeros([0, 5, 2])).shape == [0, 5, 2]
    drawn = draw(tf.zeros([3, 5, 2]))
    assert drawn.shape == [3, 5, 2] and len(np.unique(drawn)) == 30


@pytest.mark.parametrize("name", ["codebook", "lstm"])
def test_terms_of_rows_do_not_depend_on_their_batch(float64: None, name: str) -> None:
    model, x = make_model(name, dropout=0.3), draw_x(batch=4)
    lengths, rows = np.array([5, 3, 4, 1]), np.array([2, 0])
    whole = model.elbo(x, lengths, 2, Noise(tf.constant([1, 2]), tf.range(4)), training=True)
    part = model.elbo(
        x[rows], lengths[rows], 2, Noise(tf.constant([1, 2]), tf.constant(rows)), training=True
    )
    for term, expected in zip(part, whole, strict=True):
        np.testing.assert_allclose(term, tf.gather(expected, rows, axis=1), rtol=1e-10)


def test_a_seed_is_one_number_or_two() -> None:
    model = make_model("af-only", spread=0.5, inference="local", emitter="local", flow_layers=1)
    ways = (model.sample, model.prior.sample)
    for draw in ways:
        for seed, same in ((3, [3, 0]), (np.int64(3), tf.constant([3, 0])), (tf.constant(3), 3)):
            np.testing.assert_array_equal(draw([9, 4], seed=seed), draw([9, 4], seed=same))
        assert np.any(draw([9, 9], seed=3) != draw([9, 9], seed=4))
        for wrong in (0.5, [1, 2, 3], -1, [0, 2**31], "one"):
            with pytest.raises(ValueError, match=r"expected a seed"):
                draw([9, 4], seed=wrong)
        with pytest.raises(ValueError, match=r"expected lengths \[B\]; got shape \(\)"):
            draw(9, seed=3)
    for seed in tf.unstack(tf.random.split([1, 2], 8)):  # Of any sign.
        assert model.prior.sample([2], seed=seed).shape == [1, 2, 3]
    drawn = model.length_model.sample(9, seed=3)
    np.testing.assert_array_equal(drawn, model.length_model.sample(9, seed=[3, 0]))
