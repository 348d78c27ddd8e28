"""What the signatures are and what each answers to an odd request."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from export.saving.graph_protos import read_saved_model
from tests.export.kinds import codebook, every_kind, strings_of
from tests.exported import CHARACTERS, MAX_LENGTH


@every_kind
def test_every_input_and_output_has_a_leading_batch_dimension(served, kind):
    for name, definition in served(kind).signatures.items():
        if not name.startswith("__"):
            for info in (*definition.inputs.values(), *definition.outputs.values()):
                assert [dim.size for dim in info.tensor_shape.dim] == [-1]


@every_kind
def test_every_input_and_output_has_its_name_and_type(served, kind):
    model, text = served(kind), "music" not in kind
    field = "text" if text else "roll_bytes"
    string = {field: "string"}
    drawn = {**string, "num_steps": "int32"}
    asked = {"length": "int32", "seed": "int64", "temperature": "float32"}
    scored = {"log_likelihood": "float32"}
    if text:
        scored |= {"bits_per_character": "float32", "num_characters": "int32"}
        scored |= {"num_unknown": "int32"}
    else:
        scored |= {"nats_per_step": "float32", "num_steps": "int32"}
    described = {"max_length": "int32", "noise_size": "int32"}
    noise = {"noise_bytes": "string"}
    unit = "bits" if text else "nats"
    expected = {
        "generate": (asked, drawn),
        "serving_default": (asked, drawn),
        "complete": ({**string, **asked}, drawn),
        "score": (string, scored),
        "score_steps": (string, {f"{unit}_bytes": "string", f"length_{unit}": "float32"}),
        "describe": ({"row": "int32"}, described | ({"characters": "string"} if text else {})),
    }
    if not kind.startswith("lstm"):
        expected["reconstruct"] = ({**string, "seed": "int64"}, string)
        expected["encode"] = (string, {**noise, "num_steps": "int32"})
        expected["decode"] = (noise, drawn)
    for name, sides in expected.items():
        definition = model.signatures[name]
        for there, wanted in zip((definition.inputs, definition.outputs), sides, strict=True):
            assert {key: tf.as_dtype(info.dtype).name for key, info in there.items()} == wanted
    flow_only = {"reconstruct", "encode", "decode"}
    assert flow_only & set(model.signatures) == flow_only & set(expected)


@every_kind
def test_no_rows_are_answered_by_no_rows(served, kind):
    model = served(kind)
    for name in model.signatures:
        if not name.startswith("__"):
            nothing = {key: [] for key in model.signatures[name].inputs}
            assert all(len(values) == 0 for values in model(name, **nothing).values())


def _unequal(asked):
    """One input after the other without rows, with the first alone, with one more, with double."""
    for name, values in asked.items():
        for changed in ([], values[:1], [*values, values[0]], values * 2):
            yield {**asked, name: changed}


@every_kind
def test_inputs_of_unequal_length_are_refused_with_their_names_and_lengths(served, kind):
    model = served(kind)
    generate = {"length": [3, 4], "seed": [0, 1], "temperature": [1.0, 0.5]}
    strings = {strings_of(model): [b"aa", b"\x80\x20"], "seed": [5, 6]}
    for name, asked in (("generate", generate), ("reconstruct", strings)):
        if name not in model.signatures:
            continue
        assert {len(values) for values in model(name, **asked).values()} == {2}
        for inputs in _unequal(asked):
            with pytest.raises(tf.errors.InvalidArgumentError, match="unequal length") as error:
                model(name, **inputs)
            for key, values in inputs.items():
                assert f"{key} {len(values)}" in error.value.message
    # Also where the output that is asked does not depend on all of them.
    definition = model.signatures["generate"]
    dtypes = (np.int32, np.int64, np.float32)
    feed = {
        definition.inputs[key].name: np.array(values, dtype)
        for (key, values), dtype in zip({**generate, "seed": [7]}.items(), dtypes, strict=True)
    }
    with pytest.raises(tf.errors.InvalidArgumentError, match="length 2, seed 1, temperature 2"):
        model.session.run(definition.outputs["num_steps"].name, feed)


@every_kind
def test_an_impossible_request_gets_an_empty_answer(served, kind):
    model = served(kind)
    temperatures = [1.0, 1.0, 1.0, np.nan, -0.5, np.inf, 1001, 1000.0, 1.0]
    lengths = [0, -5, -(2**31), 4, 4, 4, 4, 4, 2**31 - 1]
    drawn = model("generate", length=lengths, seed=[0] * 9, temperature=temperatures)
    assert drawn["num_steps"].tolist() == [0, 0, 0, 0, 0, 0, 0, 4, MAX_LENGTH]
    assert [len(string) > 0 for string in drawn[strings_of(model)]] == [False] * 7 + [True] * 2


def test_a_model_describes_itself(served):
    described = served("codebook")("describe", row=[0, 5])
    assert described["max_length"].tolist() == [MAX_LENGTH] * 2
    assert described["noise_size"].tolist() == [codebook().config.latent_size] * 2
    assert [text.decode() for text in described["characters"]] == ["".join(CHARACTERS)] * 2
    assert served("lstm-music")("describe", row=[0])["noise_size"].tolist() == [0]


def test_generation_is_the_models_own_at_temperature_0(served):
    model = codebook()
    expected = model.sample([MAX_LENGTH, 5], 0.0).numpy()
    drawn = served("codebook")("generate", length=[12, 5], seed=[3, 4], temperature=[0, 0])["text"]
    symbols = ("\ufffd", "\ufffd", *CHARACTERS)
    texts = ["".join(symbols[i] for i in row) for row in (expected[0], expected[1][:5])]
    assert [text.decode() for text in drawn] == texts


def test_warm_up_has_a_request_of_every_signature(served, folders):
    folder = folders("codebook")
    records = tf.data.TFRecordDataset(str(folder / "assets.extra" / "tf_serving_warmup_requests"))
    requests = [
        prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        for record in records.as_numpy_iterator()
    ]
    names = [request.model_spec.signature_name for request in requests]
    signatures = [name for name in served("codebook").signatures if not name.startswith("__")]
    assert sorted(names) == sorted(signatures)
    assert {request.model_spec.name for request in requests} == {"codebook"}


def test_lengths_are_checked_once(folders) -> None:
    (graph,) = read_saved_model(folders("lstm-music")).meta_graphs
    for function in graph.graph_def.library.function:
        if function.signature.name.startswith("__inference__score"):
            assert [node.op for node in function.node_def].count("Assert") == 1
