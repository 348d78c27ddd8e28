"""What the models promise to their users; `test_model_probabilities.py` has their probabilities."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import LENGTHS, draw_x, every_flow, every_row, make_model
from tf_latentflow import LatentFlow, LSTMLanguageModel, ModelConfig
from tf_latentflow.networks.normal import noise_log_probs
from tf_latentflow.noise import noise_of


@pytest.mark.parametrize("name, emission", [("lstm", "categorical"), ("lstm", "bernoulli")])
def test_padding_and_neighbours_change_nothing(float64: None, name: str, emission: str) -> None:
    model, x = make_model(name, emission=emission), draw_x(emission=emission)
    dirty = x.copy()
    for row, length in enumerate(LENGTHS):
        dirty[row, length:] = 9  # Neither a symbol nor a note.
    clean, soiled = (model.elbo(values, LENGTHS, 2, [1, 2]) for values in (x, dirty))
    for a, b in zip(clean, soiled, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a[:, 2], 0.0)  # a row of length 0 adds exactly 0
    padded = np.concatenate([x, x[:, :4]], axis=1)
    alone = model.estimate(x[:1], LENGTHS[:1], 11, [1, 2]).log_prob
    beside = model.estimate(padded, LENGTHS, 11, [1, 2]).log_prob
    np.testing.assert_allclose(beside[:1], alone)


@every_flow
def test_elbo_terms_and_bound(float64: None, name: str) -> None:
    model, x = make_model(name), draw_x()
    estimate = model.estimate(x, LENGTHS, 30, [1, 2])
    assert np.all(estimate.reconstruction - estimate.kl <= estimate.log_prob + 1e-12)
    elbo = model.elbo(x, LENGTHS, 4000, [1, 2])
    assert elbo.reconstruction.shape == elbo.kl.shape == (4000, 3)
    # The mean of log q - log p is a KL divergence; with log p exact, log q's mean is an entropy.
    mean, std = model.encode(x, LENGTHS)
    rng = np.random.default_rng(0)
    z = mean + std * rng.normal(size=(4000, *mean.shape))
    log_q = tf.reduce_sum(noise_log_probs((z - mean) / std, LENGTHS), axis=-1)
    log_q -= np.array([np.log(s[:n]).sum() for s, n in zip(std.numpy(), LENGTHS, strict=True)])
    kls = np.stack([elbo.kl, log_q - model.prior.log_prob(z, LENGTHS)])
    stderr = np.sqrt(np.sum(np.var(kls, axis=1), axis=0) / 4000)
    assert np.all(np.abs(np.diff(np.mean(kls, axis=1), axis=0)) <= 4 * stderr)


@every_row
def test_same_seed_same_result(name: str, emission: str) -> None:
    model, x = make_model(name, emission=emission), draw_x(emission=emission)
    for training in (False, True):
        a, b = (model.elbo(x, LENGTHS, 2, [1, 2], training) for _ in range(2))
        np.testing.assert_array_equal(a.reconstruction, b.reconstruction)
    first, again, other = (model.sample(LENGTHS, 1.0, seed) for seed in ([1, 2], [1, 2], [3, 4]))
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)
    assert first.shape == x.shape and first.dtype == tf.int32
    assert not np.any(first[1, 3:]) and not np.any(first[2])
    cold = [model.sample(LENGTHS, 0.0, seed) for seed in ([1, 2], [3, 4])]
    np.testing.assert_array_equal(*cold)


@pytest.mark.parametrize(
    ("name", "rate", "terms"),
    [
        ("lstm", "dropout", {"reconstruction"}),
        ("af-indep-affine", "dropout", {"kl"}),
        ("af-indep-affine", "posterior_dropout", {"reconstruction", "kl"}),
        ("af-indep-affine", "emitter_dropout", {"reconstruction"}),
    ],
)
def test_dropout_changes_its_own_terms_and_in_training_alone(
    name: str, rate: str, terms: set[str]
) -> None:
    sizes = {"flow_layers": 1, "emitter": "local", "inference": "local"} if name != "lstm" else {}
    models = [make_model(name, **sizes, **{rate: value}) for value in (0.0, 0.5)]
    for training in (False, True):
        without, dropped = (m.elbo(draw_x(), LENGTHS, 1, [1, 2], training) for m in models)
        changed = {
            term
            for term in ("reconstruction", "kl")
            if np.any(getattr(without, term) != getattr(dropped, term))
        }
        assert changed == (terms if training else set())


@every_flow
def test_reconstruction_is_of_the_shape_of_x(name: str) -> None:
    model, x = make_model(name), draw_x()
    again = model.reconstruct(x, LENGTHS, [1, 2])
    assert again.shape == x.shape and not np.any(again[1, 3:])


@pytest.mark.parametrize(
    "name, emission",
    [
        ("af-only", "categorical"),
        pytest.param("af-af", "categorical", marks=pytest.mark.nightly),
        pytest.param("iaf-scf", "bernoulli", marks=pytest.mark.nightly),
    ],
)
def test_interpolation_ends_at_the_posterior_means(name: str, emission: str) -> None:
    model, x = make_model(name, spread=0.3, emission=emission), draw_x(emission=emission)
    model.symbols.bias.assign(np.zeros(6))
    between, lengths = model.interpolate(x[0], 5, x[1, :3], 3, 3)
    assert between.shape == x.shape and between.dtype == tf.int32
    np.testing.assert_array_equal(lengths, [5, 4, 3])
    assert not np.any(between[1, 4:]) and not np.any(between[2, 3:])
    for row, length, end in ((0, 5, between[0]), (1, 3, between[2, :3])):
        mean, _ = model.encode(x[row : row + 1, :length], [length])
        expected = model.emit(mean, tf.constant([length]))
        assert np.any(expected)
        np.testing.assert_array_equal(end, expected[0])
    with pytest.raises(ValueError, match="steps of at least 2; got 1"):
        model.interpolate(x[0], 5, x[1], 3, 1)


@every_row
def test_saving_keeps_everything(name: str, emission: str, tmp_path: Path) -> None:
    vocabulary = ("a", "b", "ü", " ") if emission == "categorical" else None
    model = make_model(name, emission=emission, vocabulary=vocabulary)
    model.length_model.fit(np.array([1, 2, 2, 4]))
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    assert type(loaded) in (LatentFlow, LSTMLanguageModel) and loaded.config == model.config
    x, lengths = draw_x(emission=emission), np.array([5, 4, 3])
    np.testing.assert_array_equal(
        model.log_likelihood(x, lengths, 2, [1, 2]), loaded.log_likelihood(x, lengths, 2, [1, 2])
    )


@pytest.mark.parametrize(
    "name, emission",
    [
        ("codebook", "categorical"),
        ("lstm", "bernoulli"),
        pytest.param("iaf-scf", "categorical", marks=pytest.mark.nightly),
        pytest.param("iaf-scf", "bernoulli", marks=pytest.mark.nightly),
    ],
)
def test_works_inside_a_function_of_any_shape(name: str, emission: str) -> None:
    model, x = make_model(name, emission=emission), draw_x(emission=emission)
    spec = tf.TensorSpec([None, None, *model.event_shape], x.dtype)

    @tf.function(input_signature=[spec, tf.TensorSpec([None], tf.int32)], autograph=False)
    def evaluate(x: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        return model.log_likelihood(x, lengths, 2, [1, 2])

    lengths = np.array([5, 4, 3], np.int32)
    np.testing.assert_allclose(
        evaluate(x, lengths), model.log_likelihood(x, lengths, 2, [1, 2]), rtol=1e-4
    )
    assert evaluate(x[:2, :3], np.array([3, 2], np.int32)).shape == (2,)


@pytest.mark.nightly
def test_a_scalar_map_with_a_number_is_trained_saved_and_sampled(tmp_path: Path) -> None:
    model, x = make_model("af-af", scalar="mixture:8", flow_layers=1), draw_x()
    lengths, optimizer = np.array([5, 4, 3], np.int32), keras.optimizers.Adam(0.01)
    losses = []
    for _ in range(2):
        with tf.GradientTape() as tape:
            elbo = model.elbo(x, lengths, seed=[1, 2], training=True)
            losses.append(tf.reduce_sum(elbo.kl - elbo.reconstruction))
        gradients = tape.gradient(losses[-1], model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
    assert float(losses[1]) < float(losses[0])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.config.scalar == "mixture:8"
    z = loaded.prior.sample(lengths, seed=[3, 4])
    np.testing.assert_allclose(z, model.prior.sample(lengths, seed=[3, 4]), rtol=1e-5)
    eps, _ = model.prior.inverse_and_log_det(z, lengths)
    noise = noise_of([3, 4], 3).normal(z.shape, tf.float32)
    np.testing.assert_allclose(eps[0], noise[0], atol=1e-4)


def test_memory_is_bounded_in_the_number_of_samples() -> None:
    """The largest tensor of the graph does not grow with K, and chunks are not made at once."""
    model = make_model("af-af")

    def largest(num_samples: int) -> int:
        function = tf.function(
            lambda: model.log_likelihood(draw_x(), LENGTHS, num_samples, [1, 2]), autograph=False
        )
        graph = function.get_concrete_function().graph
        bodies = [graph, *(f.graph for f in graph._functions.values() if hasattr(f, "graph"))]
        operations = [op for body in bodies for op in body.get_operations()]
        loops = [op for op in operations if op.type.endswith("While")]
        assert any(loop.get_attr("parallel_iterations") == 1 for loop in loops)
        shapes = [tensor.shape for op in operations for tensor in op.outputs]
        return max(s.num_elements() or 0 for s in shapes if s.is_fully_defined())

    assert largest(100) == pytest.approx(largest(10), abs=300)


def test_wrong_kind_of_configuration_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a configuration of a flow; got that of 'lstm'"):
        LatentFlow(ModelConfig.from_name("lstm", "tiny"))
    with pytest.raises(ValueError, match="expected the configuration of the baseline; got 'af-af'"):
        LSTMLanguageModel(ModelConfig.from_name("af-af", "tiny"))


@pytest.mark.parametrize(
    "x, lengths, num_samples, message",
    [
        (np.zeros(5, int), [5], 1, r"expected x \[B, T\] and lengths \[B\]; got \(5,\) and"),
        (np.zeros([2, 5], int), [5], 1, r"got \(2, 5\) and \(1,\)"),
        (np.zeros([2, 5], int), [5, 5], 0, "expected num_samples of at least 1; got 0"),
    ],
)
def test_what_is_no_batch_is_refused(
    x: np.ndarray, lengths: list[int], num_samples: int, message: str
) -> None:
    for name in ("af-af", "lstm"):
        with pytest.raises(ValueError, match=message):
            make_model(name).log_likelihood(x, lengths, num_samples)


def test_rolls_of_other_than_the_models_notes_are_refused() -> None:
    model = make_model("lstm", emission="bernoulli", vocab_size=88)
    for shape in ([2, 5], [2, 5, 87], [5, 88]):
        with pytest.raises(ValueError, match=r"expected x \[B, T, 88\] and lengths \[B\]; got"):
            model.elbo(np.zeros(shape, np.uint8), [5, 5])
