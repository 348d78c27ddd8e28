"""End to end: what a server answers is what the exported model's signatures give in a session."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import grpc
import numpy as np
import pytest
import tensorflow as tf

from export import client
from export.saving.packed_rolls import unpack_roll
from export.saving.warmup import play_warmup
from export.serving.local_server import LocalServer
from export.serving.servable import load_newest
from tests.exported import CHARACTERS, MAX_LENGTH, Served, export_tiny
from tests.local_servers import stub_of
from tests.models import LEAST_FIELDS
from tests.served import PATIENCE, Http, predict_request
from train.data.music.midi import read_midi
from train.support.memory import peak_memory_gib

# Of every length from none to the longest and beyond it; 0 is the most probable.
ASKED = {
    "length": np.int32([5, MAX_LENGTH, 1, 0, MAX_LENGTH + 9]),
    "seed": np.array([3, 2**63 - 1, -4, 5, 6]),
    "temperature": np.float32([1.0, 0.5, 1.5, 1.0, 0.0]),
}
COLUMNS = {name: values.tolist() for name, values in ASKED.items()}
ROWS = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)]
OUTPUTS = {"text": ["num_steps", "text"], "music": ["num_steps", "roll_bytes"]}
# One character and several, of one to four bytes; an unknown one; none; one too many.
TEXTS = ["a", "é語\n😀\t", "a?", "", "a" * (MAX_LENGTH + 1)]


class Model(NamedTuple):
    server: LocalServer
    session: Served
    http: Http


def _model(path: Path) -> Iterator[Model]:
    servable = load_newest(path.parent)
    signatures = {name for name in servable.signatures if not name.startswith("__")}
    assert play_warmup(servable, max_bytes=100_000) == len(signatures)
    server = LocalServer(servable)
    server.start()
    http = Http(server.rest_url)
    try:
        yield Model(server, Served(path), http)
    finally:
        http.close()
        server.stop()


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    base = tmp_path_factory.mktemp("models") / "text"
    yield from _model(export_tiny(base, "af-only", **LEAST_FIELDS))


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    base = tmp_path_factory.mktemp("models") / "music"
    yield from _model(export_tiny(base, "lstm", emission="bernoulli", vocab_size=88))


@pytest.mark.parametrize("kind", OUTPUTS)
@pytest.mark.parametrize("signature", ["generate", "serving_default"])
def test_generation_is_the_same_in_every_form(
    request: pytest.FixtureRequest, kind: str, signature: str
) -> None:
    model: Model = request.getfixturevalue(kind)
    # `serving_default` is the same function.
    expected = model.session("generate", **ASKED)
    assert sorted(expected) == OUTPUTS[kind]
    assert expected["num_steps"].tolist() == [5, MAX_LENGTH, 1, 0, MAX_LENGTH]
    in_json = {name: [_in_json(name, value) for value in expected[name]] for name in expected}
    by_row = model.http.predict({"signature_name": signature, "instances": ROWS})
    assert by_row.json() == {
        "predictions": [
            dict(zip(in_json, row, strict=True)) for row in zip(*in_json.values(), strict=True)
        ]
    }
    by_column = model.http.predict({"signature_name": signature, "inputs": COLUMNS})
    assert by_column.json() == {"outputs": in_json}
    with stub_of(model.server) as stub:
        asked = predict_request(model.http.model, signature, **ASKED)
        over_grpc = stub.Predict(asked, timeout=PATIENCE).outputs
    assert {name: tf.make_ndarray(over_grpc[name]).tolist() for name in over_grpc} == {
        name: values.tolist() for name, values in expected.items()
    }
    # A row that is asked alone gets the same.
    for row, answer in zip(ROWS, by_row.json()["predictions"], strict=True):
        assert model.http.predict({"instances": [row]}).json() == {"predictions": [answer]}


@pytest.mark.parametrize(
    ("signature", "asked"),
    [
        ("generate", {name: values[:2] for name, values in ASKED.items()}),
        ("serving_default", {name: values[:1] for name, values in ASKED.items()}),
        ("reconstruct", {"text": np.array([b"a", b"\n\t"], object), "seed": np.array([1, 2])}),
    ],
)
def test_inputs_of_unequal_length_are_refused_before_the_graph(
    text: Model, monkeypatch: pytest.MonkeyPatch, signature: str, asked: dict[str, np.ndarray]
) -> None:
    def columns(inputs: dict[str, np.ndarray]) -> dict[str, list]:
        return {
            name: [value.decode() for value in values] if name == "text" else values.tolist()
            for name, values in inputs.items()
        }

    good = {"signature_name": signature, "inputs": columns(asked)}
    assert text.http.predict(good).status == 200

    def no_graph(*args: object, **more: object) -> None:
        raise AssertionError("the graph was run")

    monkeypatch.setattr(text.server._servable._session, "run", no_graph)
    with stub_of(text.server) as stub:
        for name, values in asked.items():
            for changed in (values[:0], np.repeat(values, 3)):
                inputs = {**asked, name: changed}
                said = [f"{key} {len(values)}" for key, values in inputs.items()]
                over_rest = text.http.predict({**good, "inputs": columns(inputs)})
                assert over_rest.status == 400
                message = over_rest.json()["error"]
                assert "unequal length" in message and all(part in message for part in said)
                with pytest.raises(grpc.RpcError) as error:
                    request = predict_request(text.http.model, signature, **inputs)
                    stub.Predict(request, timeout=PATIENCE)
                assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
                assert error.value.details() == message
    # In row form only a list within a row could be of another length.
    rows = {"signature_name": signature, "instances": [columns(asked)]}
    assert text.http.predict(rows).status == 400


def _in_json(name: str, value: bytes | np.int32) -> str | int | dict[str, str]:
    if name == "num_steps":
        return int(value)
    if name == "text":
        return value.decode()
    return {"b64": base64.b64encode(value).decode()}


def test_scores_of_texts(text: Model) -> None:
    expected = text.session("score", text=[value.encode() for value in TEXTS])
    assert np.isnan(expected["log_likelihood"]).tolist() == [False] * 3 + [True] * 2
    by_row = text.http.predict({"signature_name": "score", "instances": TEXTS})
    by_column = text.http.predict({"signature_name": "score", "inputs": TEXTS}).json()["outputs"]
    for name, values in expected.items():
        # JSON has a float's shortest decimals, which give the float back.
        np.testing.assert_array_equal(np.array(by_column[name], values.dtype), values)
        rows = [row[name] for row in by_row.json()["predictions"]]
        np.testing.assert_array_equal(np.array(rows, values.dtype), values)
    assert b"NaN" in by_row.body


def test_a_texts_reconstruction_is_the_same_in_both_protocols(text: Model) -> None:
    asked = {"signature_name": "reconstruct", "instances": [{"text": "é語a", "seed": 8}]}
    (over_rest,) = text.http.predict(asked).json()["predictions"]
    assert len(over_rest) == 3
    with stub_of(text.server) as stub:
        asked = predict_request("text", "reconstruct", text=["é語a".encode()], seed=np.array([8]))
        (over_grpc,) = stub.Predict(asked, timeout=PATIENCE).outputs["text"].string_val
    assert over_grpc.decode() == over_rest


def test_the_client_prints_texts_and_scores(
    text: Model, capsys: pytest.CaptureFixture[str]
) -> None:
    url = text.server.rest_url
    flags = ["-n", "2", "--length", "9", "--seed", "4", "--temperature", "0.5"]
    client.main(["generate", "--url", url, *flags])
    drawn = text.session("generate", length=[9, 9], seed=[4, 5], temperature=[0.5, 0.5])["text"]
    assert capsys.readouterr().out == "".join(value.decode() + "\n" for value in drawn)

    client.main(["score", "é語", "", "--url", url, "--json"])
    scores = text.session("score", text=["é語".encode(), b""])
    for i, line in enumerate(capsys.readouterr().out.splitlines()):
        row = json.loads(line)
        assert row.pop("input") == ["é語", ""][i]
        assert row.keys() == scores.keys()
        for name, value in row.items():
            np.testing.assert_allclose(value, scores[name][i], rtol=1e-6)

    flags = ["-n", "2", "--prompt", "é語", "--length", "5", "--seed", "4"]
    client.main(["generate", "--url", url, *flags])
    begun = {"text": ["é語".encode()] * 2, "length": [5, 5], "temperature": [1.0, 1.0]}
    drawn = text.session("complete", **begun, seed=[4, 5])["text"]
    assert capsys.readouterr().out == "".join(value.decode() + "\n" for value in drawn)
    assert all(value.decode()[:2] == "é語" and len(value.decode()) == 5 for value in drawn)

    client.main(["status", "--url", url])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "version 1: AVAILABLE"
    asked = "length int32, seed int64, temperature float"
    assert f"generate({asked}) -> num_steps int32, text string" in lines
    assert [line.partition("(")[0] for line in lines[1:]] == [
        "complete",
        "decode",
        "describe",
        "encode",
        "generate",
        "reconstruct",
        "score",
        "score_steps",
        "serving_default",
    ]


def test_the_client_writes_and_scores_rolls(
    music: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = music.server.rest_url
    flags = ["-n", "2", "--length", "7", "--seed", "1", "--out", str(tmp_path)]
    client.main(["generate", "--url", url, *flags])
    paths = capsys.readouterr().out.split()
    drawn = music.session("generate", length=[7, 7], seed=[1, 2], temperature=[1, 1])["roll_bytes"]
    for path, packed in zip(paths, drawn, strict=True):
        roll = unpack_roll(packed)
        # The first and last step sound, or a file would not tell where the piece ends.
        assert roll.shape == (7, 88) and roll[0].any() and roll[-1].any()
        np.testing.assert_array_equal(read_midi(Path(path)).roll, roll)

    client.main(["score", *paths, "--url", url, "--json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for name, values in music.session("score", roll_bytes=drawn).items():
        assert np.isfinite(values).all()
        np.testing.assert_array_equal(np.array([row[name] for row in rows], values.dtype), values)
    nothing = {"signature_name": "score", "instances": [{"b64": ""}]}
    (answer,) = music.http.predict(nothing).json()["predictions"]
    assert np.isnan(answer["log_likelihood"]) and answer["num_steps"] == 0


def test_memory_does_not_grow_with_requests_of_all_lengths(text: Model) -> None:
    rng = random.Random(0)

    def ask(num: int) -> None:
        for _ in range(num):
            rows = [
                {
                    "length": rng.randint(0, MAX_LENGTH),
                    "seed": rng.getrandbits(60),
                    "temperature": rng.random(),
                }
                for _ in range(rng.randint(1, 3))
            ]
            texts = ["".join(rng.choices(CHARACTERS, k=row["length"])) for row in rows]
            assert text.http.predict({"instances": rows}).status == 200
            if rng.random() < 0.2:
                score = {"signature_name": "score", "inputs": texts}
                assert text.http.predict(score).status == 200

    ask(200)
    before = peak_memory_gib()
    ask(600)
    # 600 requests that leave 100 KiB each, say one graph or one noise, would be over this.
    assert (peak_memory_gib() - before) * 1024 < 40  # [MiB]
