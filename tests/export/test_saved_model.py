from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from export.saving.graph_protos import read_saved_model
from export.saving.signatures import Endpoint
from export.saving.text_codec import TextCodec, write_vocabulary
from tests.exported import CHARACTERS, MAX_LENGTH, Served, export_tiny, requests
from tests.models import LEAST_FIELDS, make_model
from tests.paths import ROOT
from tf_latentflow import Vocabulary

_LIBRARIES = Path(find_spec("tensorflow").origin).parent
_MUSIC = {"emission": "bernoulli", "vocab_size": 11}
_LOCAL = {"inference": "local", "emitter": "local", "flow_layers": 1}
# A flow and the baseline, text and music; the rows of the paper are larger graphs of the same. The
# inverse of an affine map is traced in half the time of a mixture's; `_ROWS` has that.
_KINDS = {"codebook": ("codebook", {"scalar": "affine"}), "lstm-music": ("lstm", _MUSIC)}
_ROWS = {
    "codebook-row": ("codebook", {}),
    "lstm": ("lstm", {}),
    "af-only-music": ("af-only", {**_MUSIC, **LEAST_FIELDS}),
    "iaf-scf": ("iaf-scf", _LOCAL),
} | {f"{name}-row": (name, {}) for name in ("af-af", "af-scf", "iaf-scf")}


def nightly(kind):
    return pytest.param(kind, marks=pytest.mark.nightly)


every_kind = pytest.mark.parametrize("kind", [*_KINDS, *map(nightly, _ROWS)])


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folders of models by kind, each written when a test first asks for it."""
    there = {}

    def folder(kind):
        if kind not in there:
            name, overrides = (_KINDS | _ROWS)[kind]
            base = tmp_path_factory.mktemp("models") / kind
            there[kind] = export_tiny(base, name, **overrides)
        return there[kind]

    return folder


@pytest.fixture(scope="module")
def served(folders):
    there = {}

    def load(kind):
        if kind not in there:
            there[kind] = Served(folders(kind))
        return there[kind]

    return load


def _floats(string):
    return np.frombuffer(string, "<f4")


def _field(served):
    return "text" if "text" in served.signatures["generate"].outputs else "roll_bytes"


@every_kind
def test_every_input_and_output_has_a_leading_batch_dimension_and_its_name(served, kind):
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
    names = {name for name in model.signatures if not name.startswith("__")}
    assert names == set(expected)
    for name, sides in expected.items():
        definition = model.signatures[name]
        for there, wanted in zip((definition.inputs, definition.outputs), sides, strict=True):
            assert {key: tf.as_dtype(info.dtype).name for key, info in there.items()} == wanted
            for info in there.values():
                assert [dim.size for dim in info.tensor_shape.dim] == [-1]


@every_kind
def test_a_row_is_answered_alike_alone_and_in_any_batch(served, kind):
    model, num = served(kind), 24
    field, asked = _field(model), requests(num)
    drawn = model("generate", **asked)
    order = np.random.default_rng(1).permutation(num)
    for rows in (*np.split(order, [1, 3, 8, 15]), *([k] for k in range(4))):
        part = model("generate", **{key: value[rows] for key, value in asked.items()})
        assert part[field].tolist() == drawn[field][rows].tolist()
        assert part["num_steps"].tolist() == drawn["num_steps"][rows].tolist()
    strings = drawn[field]
    scored = model("score", **{field: strings})
    for rows in np.split(order, [1, 3, 8]):
        part = model("score", **{field: strings[rows]})
        for key, values in part.items():
            np.testing.assert_allclose(values, scored[key][rows], rtol=1e-5, atol=1e-5)
    if "reconstruct" in model.signatures:
        again = model("reconstruct", **{field: strings, "seed": asked["seed"]})[field]
        for rows in np.split(order, [1, 3, 8]):
            ask = {field: strings[rows], "seed": asked["seed"][rows]}
            assert model("reconstruct", **ask)[field].tolist() == again[rows].tolist()
        encoded = model("encode", **{field: strings})["noise_bytes"]
        decoded = model("decode", noise_bytes=encoded)[field]
        for rows in np.split(order, [1, 3, 8]):
            part = model("encode", **{field: strings[rows]})["noise_bytes"]
            for noise, whole in zip(part, encoded[rows], strict=True):
                np.testing.assert_allclose(_floats(noise), _floats(whole), rtol=1e-4, atol=1e-4)
            assert model("decode", noise_bytes=encoded[rows])[field].tolist() == (
                decoded[rows].tolist()
            )
    by_step = model("score_steps", **{field: strings})
    unit = "bits" if field == "text" else "nats"
    for rows in np.split(order, [1, 3, 8]):
        part = model("score_steps", **{field: strings[rows]})
        for steps, whole in zip(part[f"{unit}_bytes"], by_step[f"{unit}_bytes"][rows], strict=True):
            np.testing.assert_allclose(_floats(steps), _floats(whole), rtol=1e-4, atol=1e-4)


@every_kind
def test_a_continuation_begins_as_given_alone_and_in_any_batch(served, kind):
    model = served(kind)
    field = _field(model)
    beginning = b"a" if field == "text" else b"\x80\x20"
    longest = len(model("generate", length=[99], seed=[0], temperature=[1.0])[field][0])
    too_long = (beginning * longest)[:longest]
    asked = {
        field: [beginning, beginning, b"", too_long, beginning, beginning * 3],
        "length": [0, 4, 4, 0, 1, -1],
        "seed": [5, 6, 7, 8, 9, 5],
        "temperature": [1.0, 0.0, 1.0, 1.0, 1.0, 0.5],
    }
    together = model("complete", **asked)
    begun = [string.startswith(b) for string, b in zip(together[field], asked[field], strict=True)]
    assert begun == [True, True, True, False, False, True]
    assert together["num_steps"][1:5].tolist() == [4, 0, 0, 0]
    assert together["num_steps"][0] > 1 and together["num_steps"][5] > 3
    for row in range(6):
        alone = model("complete", **{name: values[row : row + 1] for name, values in asked.items()})
        assert alone[field].tolist() == together[field][row : row + 1].tolist()


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
    strings = {_field(model): [b"aa", b"\x80\x20"], "seed": [5, 6]}
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
    temperatures = [1.0, 1.0, 1.0, np.nan, -0.5, np.inf, 1e30, 1.0]
    lengths = [0, -5, -(2**31), 4, 4, 4, 4, 2**31 - 1]
    drawn = model("generate", length=lengths, seed=[0] * 8, temperature=temperatures)
    assert drawn["num_steps"].tolist() == [0, 0, 0, 0, 0, 0, 4, MAX_LENGTH]
    assert [len(string) > 0 for string in drawn[_field(model)]] == [False] * 6 + [True] * 2


@pytest.mark.parametrize("kind", ["codebook", nightly("lstm")])
def test_texts_without_a_score_get_nan(served, kind):
    model = served(kind)
    texts = ["", "a" * (MAX_LENGTH + 1), "a?", "語" * MAX_LENGTH]
    scored = model("score", text=[text.encode() for text in texts])
    assert np.isnan(scored["log_likelihood"]).tolist() == [True, True, False, False]
    assert np.isnan(scored["bits_per_character"]).tolist() == [True, True, False, False]
    assert scored["num_characters"].tolist() == [0, MAX_LENGTH + 1, 2, MAX_LENGTH]
    assert scored["num_unknown"].tolist() == [0, 0, 1, 0]
    bits = -scored["log_likelihood"][2:] / np.log(2) / np.array([3, MAX_LENGTH + 1])
    np.testing.assert_allclose(scored["bits_per_character"][2:], bits, rtol=1e-6)


@pytest.mark.parametrize("kind", ["lstm-music", nightly("af-only-music")])
def test_rolls_without_a_score_get_nan(served, kind):
    rolls = [b"", b"\0\0" * (MAX_LENGTH + 1), b"\0\0\0", b"\xff\xe0" * 3]
    scored = served(kind)("score", roll_bytes=rolls)
    assert np.isnan(scored["log_likelihood"]).tolist() == [True, True, True, False]
    assert scored["num_steps"].tolist() == [0, MAX_LENGTH + 1, 0, 3]


def test_the_baselines_score_is_its_likelihood(served):
    rolls = np.random.default_rng(0).integers(0, 2, (2, 5, 11), np.uint8)
    model = make_model("lstm", 0.3, max_length=MAX_LENGTH, **_MUSIC)
    packed = [np.packbits(roll, axis=-1).tobytes() for roll in rolls]
    scored = served("lstm-music")("score", roll_bytes=packed)
    expected = model.log_likelihood(rolls, [5, 5])
    np.testing.assert_allclose(scored["log_likelihood"], expected, rtol=1e-5)


def test_a_flows_score_estimates_its_likelihood(tmp_path):
    text = "aé語\n\t😀aé?"
    fields = {"vocabulary": CHARACTERS, "vocab_size": len(CHARACTERS) + 2}
    # Small weights, so that q(z | x) is close to the prior: few samples are enough.
    model = make_model("af-only", 0.02, max_length=MAX_LENGTH, **fields, **LEAST_FIELDS)
    x = Vocabulary(CHARACTERS).encode(text)[None]
    expected = model.log_likelihood(x, [len(text)], num_samples=2000)[0]
    write_vocabulary(tmp_path / "vocabulary.txt", CHARACTERS)
    codec = TextCodec(tmp_path / "vocabulary.txt", MAX_LENGTH)
    score = Endpoint(model, codec, MAX_LENGTH, score_samples=2000).signatures()["score"]
    scored = score(text=tf.constant([text]))["log_likelihood"][0]
    assert abs(scored - expected) < 0.1


def _codebook():
    name, overrides = _KINDS["codebook"]
    fields = {"vocabulary": CHARACTERS, "vocab_size": len(CHARACTERS) + 2}
    return make_model(name, 0.3, max_length=MAX_LENGTH, **fields, **overrides)


def test_the_noise_of_texts_is_the_models_own(served):
    texts = ["aé語", "\n\t😀aé?"]
    model, size = _codebook(), _codebook().config.latent_size
    x = np.zeros([2, 6], np.int32)
    for row, text in zip(x, texts, strict=True):
        row[: len(text)] = Vocabulary(CHARACTERS).encode(text)
    mean, _ = model.encode(x, [3, 6])
    eps, _ = model.prior.inverse_and_log_det(mean, [3, 6])
    encoded = served("codebook")("encode", text=[text.encode() for text in texts])
    assert encoded["num_steps"].tolist() == [3, 6]
    for noise, expected, length in zip(encoded["noise_bytes"], eps, (3, 6), strict=True):
        found = _floats(noise).reshape(-1, size)
        np.testing.assert_allclose(found, expected[:length], rtol=1e-4, atol=1e-4)
    between, lengths = model.interpolate(x[0], 3, x[1], 6, 5)
    ends = [_floats(noise).reshape(-1, size) for noise in encoded["noise_bytes"]]
    first, last = (np.pad(end, [(0, 6 - len(end)), (0, 0)]) for end in ends)
    mixed = [((4 - i) * first + i * last)[:n] / 4 for i, n in enumerate(lengths.numpy())]
    decoded = served("codebook")(
        "decode", noise_bytes=[noise.astype("<f4").tobytes() for noise in mixed]
    )
    symbols = ("\ufffd", "\ufffd", *CHARACTERS)
    expected = [
        "".join(symbols[i] for i in row[:n])
        for row, n in zip(between.numpy(), lengths, strict=True)
    ]
    assert [text.decode() for text in decoded["text"]] == expected


@pytest.mark.parametrize("kind", ["codebook", nightly("af-only-music")])
def test_what_has_no_noise_and_noise_of_nothing(served, kind):
    model = served(kind)
    size = int(model("describe", row=[0])["noise_size"][0])
    step = bytes(4 * size)
    bad = np.array([np.nan] * size, "<f4").tobytes()
    noise = [b"", step, step[1:], step * MAX_LENGTH, step * (MAX_LENGTH + 1), bad, step + bad]
    decoded = model("decode", noise_bytes=noise)
    assert decoded["num_steps"].tolist() == [0, 1, 0, MAX_LENGTH, 0, 0, 0]
    strings = [b"", b"a" * 100] if kind == "codebook" else [b"", b"\0\0\0", b"\0" * 100]
    encoded = model("encode", **{_field(model): strings})
    assert encoded["noise_bytes"].tolist() == [b""] * len(strings)
    by_step = model("score_steps", **{_field(model): strings})
    unit = "bits" if kind == "codebook" else "nats"
    assert by_step[f"{unit}_bytes"].tolist() == [b""] * len(strings)
    assert np.isnan(by_step[f"length_{unit}"]).all()


@pytest.mark.parametrize("kind", ["lstm-music", nightly("lstm")])
def test_steps_add_up_to_the_baselines_score(served, kind):
    model = served(kind)
    unit, size = ("bits", np.log(2)) if kind == "lstm" else ("nats", 1)
    strings = ["aé語".encode()] if kind == "lstm" else [b"\xff\xe0\0\0\x80\0"]
    by_step = model("score_steps", **{_field(model): strings})
    steps = _floats(by_step[f"{unit}_bytes"][0])
    assert steps.shape == (3,) and (steps > 0).all()
    total = steps.sum() + by_step[f"length_{unit}"][0]
    scored = model("score", **{_field(model): strings})["log_likelihood"][0]
    np.testing.assert_allclose(-total * size, scored, rtol=1e-5)


def test_a_model_describes_itself(served):
    described = served("codebook")("describe", row=[0, 5])
    assert described["max_length"].tolist() == [MAX_LENGTH] * 2
    assert described["noise_size"].tolist() == [_codebook().config.latent_size] * 2
    assert [text.decode() for text in described["characters"]] == ["".join(CHARACTERS)] * 2
    assert served("lstm-music")("describe", row=[0])["noise_size"].tolist() == [0]


def test_generation_is_the_models_own_at_temperature_0(served):
    model = _codebook()
    expected = model.sample([MAX_LENGTH, 5], 0.0).numpy()
    drawn = served("codebook")("generate", length=[12, 5], seed=[3, 4], temperature=[0, 0])["text"]
    symbols = ("\ufffd", "\ufffd", *CHARACTERS)
    texts = ["".join(symbols[i] for i in row) for row in (expected[0], expected[1][:5])]
    assert [text.decode() for text in drawn] == texts


@pytest.mark.nightly
def test_compiled_generation_draws_the_same_texts(served, tmp_path):
    name, overrides = _KINDS["codebook"]
    compiled = Served(export_tiny(tmp_path / "compiled", name, xla=True, **overrides))
    asked = requests(5)
    drawn = compiled("generate", **asked)
    assert drawn["text"].tolist() == served("codebook")("generate", **asked)["text"].tolist()
    assert compiled("generate", length=[], seed=[], temperature=[])["text"].shape == (0,)


def test_warm_up_has_a_request_of_every_signature(folders):
    folder = folders("codebook")
    records = tf.data.TFRecordDataset(str(folder / "assets.extra" / "tf_serving_warmup_requests"))
    requests = [
        prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        for record in records.as_numpy_iterator()
    ]
    names = [request.model_spec.signature_name for request in requests]
    assert names == [
        *("serving_default", "generate", "complete", "score", "score_steps", "describe"),
        *("reconstruct", "encode", "decode"),
    ]
    assert {request.model_spec.name for request in requests} == {"codebook"}


def _in_c_runtime(folder, requests):
    """What TensorFlow's C API answers, without its Python; an error as its message."""
    asked = [
        {
            "inputs": [
                (info.name, tf.as_dtype(info.dtype).name, inputs[key])
                for key, info in definition.inputs.items()
            ],
            "outputs": [info.name for info in definition.outputs.values()],
        }
        for definition, inputs in requests
    ]
    done = subprocess.run(
        [sys.executable, ROOT / "tests/c_runtime.py", _LIBRARIES, folder],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert "tensorflow" not in found["modules"]
    return [
        answer if isinstance(answer, str) else dict(zip(definition.outputs, answer, strict=True))
        for (definition, _), answer in zip(requests, found["answers"], strict=True)
    ]


@pytest.mark.skipif(
    not (_LIBRARIES / "libtensorflow_cc.so.2").exists(), reason="this TensorFlow has no C library"
)
@pytest.mark.parametrize("kind", ["codebook", nightly("codebook-row")])
def test_it_runs_in_the_c_runtime_without_xla_also_after_a_move(served, folders, tmp_path, kind):
    model = served(kind)
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for path in folders(kind).rglob("*"):
        target = moved / path.relative_to(folders(kind))
        target.mkdir() if path.is_dir() else target.write_bytes(path.read_bytes())
    asked = {"length": [12, 5, 0], "seed": [1, -2, 3], "temperature": [1.0, 0.5, 1.0]}
    expected = model("generate", **asked)
    scored = model("score", text=expected["text"])
    generate, score = (model.signatures[name] for name in ("generate", "score"))
    drawn, found, refused = _in_c_runtime(
        moved,
        [
            (generate, asked),
            (score, {"text": [text.hex() for text in expected["text"]]}),
            (generate, {**asked, "seed": [1, 2]}),
        ],
    )
    assert [bytes.fromhex(text) for text in drawn["text"]] == expected["text"].tolist()
    assert drawn["num_steps"] == [12, 5, 0]
    np.testing.assert_allclose(found["log_likelihood"], scored["log_likelihood"], rtol=1e-5)
    assert "length 3, seed 2, temperature 3" in refused


@pytest.mark.nightly
def test_saved_model_cli_runs_it(folders):
    command = Path(sys.executable).with_name("saved_model_cli")
    if not command.exists():
        pytest.skip("saved_model_cli is not installed")
    asked = "length=[7];seed=[1];temperature=[1.0]"
    done = subprocess.run(
        [command, "run", "--dir", folders("codebook"), "--tag_set", "serve"]
        + ["--signature_def", "generate", "--input_exprs", asked],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "num_steps:\n[7]" in done.stdout


def test_lengths_are_checked_once(folders) -> None:
    (graph,) = read_saved_model(folders("lstm-music")).meta_graphs
    for function in graph.graph_def.library.function:
        if function.signature.name.startswith("__inference__score"):
            assert [node.op for node in function.node_def].count("Assert") == 1
