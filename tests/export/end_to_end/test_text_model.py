"""End to end, for text: what a server answers is what the exported model gives in a session."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest

from export import client
from tests.export.end_to_end.serving import ASKED, Model, check_generation, serving
from tests.exported import CHARACTERS, MAX_LENGTH
from tests.local_servers import stub_of
from tests.served import PATIENCE, predict_request
from train.support.errors import UserError
from train.support.memory import peak_memory_gib

# One character and several, of one to four bytes; an unknown one; none; one too many.
TEXTS = ["a", "é語\n😀\t", "a?", "", "a" * (MAX_LENGTH + 1)]


@pytest.fixture(scope="module")
def text(folders: Callable[[str], Path]) -> Iterator[Model]:
    with serving(folders("codebook")) as model:
        yield model


@pytest.mark.parametrize("signature", ["generate", "serving_default"])
def test_generation_is_the_same_in_every_form(text: Model, signature: str) -> None:
    check_generation(text, signature, ["num_steps", "text"])


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
        asked = predict_request(
            text.http.model, "reconstruct", text=["é語a".encode()], seed=np.array([8])
        )
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
            value = np.nan if value is None else value
            np.testing.assert_allclose(value, scores[name][i], rtol=1e-6)

    client.main(["score", TEXTS[-1], "--url", url])
    assert "numbers: 13 characters, at most 12\n" in capsys.readouterr().err
    with pytest.raises(UserError, match="at most 11 characters here; got 'aa*' with 13: shorten"):
        client.main(["generate", "--prompt", TEXTS[-1], "--url", url])

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


@pytest.mark.nightly
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
