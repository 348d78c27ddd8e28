"""Models and layers as Keras' own: saved, copied, called; and what Keras' ways are answered."""

from __future__ import annotations

import copy
import functools
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from bijectors import ConditionalMADE, ConditionalMLP
from tests.models import LEAST_FIELDS
from tests.models import make_model as make_row
from tf_latentflow import build_model, from_pretrained

every_kind = pytest.mark.parametrize("name", ["af-only", "lstm"])


def make_model(name: str) -> keras.Model:
    """A row; of a flow the one that is traced in the least time."""
    return make_row(name, **(LEAST_FIELDS if name == "af-only" else {}))


X, LENGTHS, SEED = [[2, 3, 4], [5, 2, 0]], [3, 2], (1, 2)

_LOAD = """
import sys, keras, numpy as np, bijectors.hidden.made
model = keras.saving.load_model(sys.argv[1])
np.save(sys.argv[2], model([np.ones((2, 3), "f"), np.ones((2, 2), "f")]))
"""


@every_kind
def test_a_file_that_keras_could_not_load_is_not_written(name: str, tmp_path: Path) -> None:
    for place in (tmp_path / "model.h5", str(tmp_path / "model.hdf5")):
        with pytest.raises(ValueError, match=r"ends with \.keras; got '.*model\.h"):
            make_model(name).save(place)
    assert not any(tmp_path.iterdir())
    make_model(name).save(tmp_path / "model.keras")
    assert type(keras.saving.load_model(tmp_path / "model.keras")) is type(make_model(name))


@pytest.mark.nightly
@pytest.mark.parametrize(
    "network",
    [
        pytest.param(lambda: ConditionalMADE(3, 5, 2, (8, 8), hidden_init=0.1), id="made"),
        pytest.param(lambda: ConditionalMLP(3, 4, 2, 2), id="mlp"),
    ],
)
def test_a_functional_model_is_loaded_by_another_process(network, tmp_path: Path) -> None:
    x, context = keras.Input((3,)), keras.Input((2,))
    model = keras.Model([x, context], network()(x, context=context))
    model.save(tmp_path / "f.keras")
    command = [sys.executable, "-c", _LOAD, str(tmp_path / "f.keras"), str(tmp_path / "y.npy")]
    subprocess.run(command, check=True)
    expected = model([np.ones((2, 3), "f"), np.ones((2, 2), "f")])
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), expected, rtol=1e-5, atol=1e-7)


def test_a_network_is_made_of_its_configuration_and_copied() -> None:
    network = ConditionalMADE(3, 2, 0, (8, 8), output_scale=(1.0, 0.5), trainable=False)
    again = ConditionalMADE.from_config(network.get_config())
    assert again.get_config() == network.get_config() and not again.trainable
    x, copied = np.ones((2, 3), np.float32), copy.deepcopy(network)
    np.testing.assert_array_equal(copied(x), network(x))
    copied.biases[-1].assign(np.ones(6))
    assert np.all(copied(x) != network(x))


@pytest.mark.parametrize("name", ["af-af", "codebook", "lstm"])
def test_every_layer_is_made_of_its_configuration(name: str) -> None:
    for layer in list(make_row(name)._flatten_layers(include_self=False)):
        layer.trainable = False
        again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
        assert type(again) is type(layer) and not again.trainable
        shapes = [[v.shape for v in one.variables] for one in (layer, again)]
        assert shapes[0] == shapes[1], layer.path


@pytest.mark.parametrize(
    "name, choices",
    [
        ("codebook", {}),
        ("lstm", {}),
        ("af-af", {}),
        ("multiscale", {"conditioner": "attention:1", "time_layers": 2}),
    ],
)
def test_a_checkpoint_of_tensorflow_is_complete(
    name: str, choices: dict[str, object], tmp_path: Path
) -> None:
    model = make_row(name, **choices)
    path = tf.train.Checkpoint(model=model).save(tmp_path / "checkpoint")
    other = build_model(model.config)
    tf.train.Checkpoint(model=other).restore(path).assert_consumed()
    for saved, restored in zip(model.variables, other.variables, strict=True):
        np.testing.assert_array_equal(saved, restored, err_msg=saved.path)


@every_kind
def test_a_model_is_copied(name: str) -> None:
    model = make_model(name)
    copied = copy.deepcopy(model)
    expected = model.log_likelihood(X, LENGTHS, 2, SEED)
    np.testing.assert_array_equal(copied.log_likelihood(X, LENGTHS, 2, SEED), expected)


@every_kind
def test_another_floatx_gives_the_same_likelihoods(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    model = make_model(name)
    expected = model.log_likelihood(X, LENGTHS, 4, SEED)
    model.save_pretrained(tmp_path / "model")
    request.getfixturevalue("float64")
    found = from_pretrained(tmp_path / "model").log_likelihood(X, LENGTHS, 4, SEED)
    assert found.dtype == tf.float64
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@every_kind
def test_a_file_of_keras_keeps_the_dtype(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    make_model(name).save(tmp_path / "float32.keras")
    request.getfixturevalue("float64")
    model = make_model(name)
    model.save(tmp_path / "float64.keras")
    assert keras.saving.load_model(tmp_path / "float32.keras").dtype == "float32"
    keras.config.set_floatx("float32")
    loaded = keras.saving.load_model(tmp_path / "float64.keras")
    assert loaded.dtype == "float64" and keras.config.floatx() == "float32"
    for variable, saved in zip(loaded.variables, model.variables, strict=True):
        np.testing.assert_array_equal(variable, saved)


@every_kind
def test_lists_do(name: str) -> None:
    model = make_model(name)
    keras.utils.set_random_seed(3)
    called = model(X, LENGTHS)
    keras.utils.set_random_seed(3)
    expected = model.elbo(np.array(X), np.array(LENGTHS))
    np.testing.assert_allclose(called.reconstruction, expected.reconstruction, rtol=1e-6)
    assert np.isfinite(model.length_model.log_prob(np.array(LENGTHS, np.int64))).all()


@every_kind
@pytest.mark.parametrize(
    "way, instead",
    [
        ("fit", "elbo"),
        ("compile", "optimizer of your own"),
        ("predict", "log_likelihood"),
        ("evaluate", "log_likelihood"),
        ("export", "python -m export.saved_model"),
        ("quantize", "Execution"),
    ],
)
def test_ways_of_keras_name_the_way_here(name: str, way: str, instead: str) -> None:
    with pytest.raises(NotImplementedError, match=f"has no {way}: .*{instead}"):
        getattr(make_model(name), way)("int8")


@every_kind
@pytest.mark.parametrize(
    "x, lengths, message",
    [
        (X, None, r"expected model\(x, lengths\).*got x alone"),
        (X, [4, 2], "expected lengths from 0 to 3, the number of steps; got 2 to 4"),
        (X, [3, -1], "expected lengths from 0 to 3, the number of steps; got -1 to 3"),
        (np.array(X, np.float32), LENGTHS, "expected x of integers; got float32"),
        (np.array(X) + 1, LENGTHS, "expected values of x from 0 to 5; got 0 to 6"),
        (-np.array(X), LENGTHS, "expected values of x from 0 to .*; got -"),
        (np.zeros([2, 0], int), [0, 0], "expected x .* got .2, 0. and"),
        (X, [2.5, 1.0], "expected whole numbers; got float32"),
    ],
)
def test_what_is_no_batch_is_refused_in_words(name: str, x, lengths, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_model(name)(x, lengths)


@every_kind
def test_no_negative_length_is_sampled(name: str) -> None:
    with pytest.raises(ValueError, match="expected lengths from 0; got -1 to 3"):
        make_model(name).sample([3, -1])


_GRAPHS = {
    "elbo": lambda model, x, lengths: model.elbo(x, lengths, seed=SEED).log_prob,
    "log_likelihood": lambda model, x, lengths: model.log_likelihood(x, lengths, 1),
    "sample": lambda model, x, lengths: model.sample(lengths, num_steps=3),
}
_SAID = "[expected lengths from 0] [to] [3] [, the number of steps] [; got] ["
_SPECS = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)]


@pytest.mark.parametrize("name", [pytest.param("af-only", marks=pytest.mark.nightly), "lstm"])
def test_a_graph_refuses_lengths_out_of_range(name: str) -> None:
    model = make_model(name)
    for call in _GRAPHS.values():
        function = tf.function(
            functools.partial(call, model), input_signature=_SPECS, autograph=False
        )
        for lengths in ([4, 2], [3, -1]):
            with pytest.raises(tf.errors.InvalidArgumentError) as refusal:
                function(X, lengths)
            assert _SAID in str(refusal.value)
    told = tf.function(
        lambda x, begun, lengths: model.complete(x, begun, lengths, 2),
        input_signature=[*_SPECS, _SPECS[1]],
        autograph=False,
    )
    for lengths in ([3, 4], [0, 2], [-1, 4]):
        with pytest.raises(tf.errors.InvalidArgumentError, match="above those of the beginnings"):
            told(X, LENGTHS, lengths)
    with pytest.raises(tf.errors.InvalidArgumentError) as refusal:
        told(X, [4, 2], [5, 3])
    assert _SAID in str(refusal.value)


def test_what_is_compiled_takes_lengths_that_it_cannot_check() -> None:
    model = make_model("af-only")
    given = tf.constant(LENGTHS)
    compiled = tf.function(model.encode, jit_compile=True, autograph=False)
    for found, expected in zip(compiled(X, given), model.encode(X, given), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
