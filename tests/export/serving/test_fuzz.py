"""Malformed requests: each is refused, and the server goes on."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from export.serving.local_server import LocalServer
from tests.export.serving.asked import HEAD, whole
from tests.local_servers import running, send
from tests.served import PATIENCE, Http, predict_request
from tests.served_model import HALF, row

MAX_BODY = 100_000


@pytest.fixture(scope="module")
def server(model: Path) -> Iterator[LocalServer]:
    with running(model, max_body_bytes=MAX_BODY) as server:
        yield server


_ROW = row()
_WRONG = {
    "length": [None, True, 5.0, "5", 2**31, -(2**31) - 1, [1], {}, {"b64": "AA=="}, float("nan")],
    "seed": [None, False, 0.0, "x", 2**63, -(2**63) - 1, [[]], {"a": 1}],
    "temperature": [None, True, "1.0", 2**24, 1e39, [0.5], {"b64": "AA=="}],
}


def _wrong_type(rng: random.Random) -> bytes:
    name = rng.choice(list(_ROW))
    rows = [dict(_ROW) for _ in range(rng.randint(1, 4))]
    rng.choice(rows)[name] = rng.choice(_WRONG[name])
    return json.dumps({"instances": rows}).encode()


def _wrong_keys(rng: random.Random) -> bytes:
    row = dict(_ROW)
    del row[rng.choice(list(row))]
    if rng.random() < 0.5:
        row["".join(rng.choices('abz\n"\N{SNOWMAN}\ud800', k=rng.randint(0, 5)))] = 1
    return json.dumps({"instances": [_ROW, row][rng.randint(0, 1) :]}).encode()


def _wrong_shape(rng: random.Random) -> bytes:
    def nested(depth: int) -> Any:
        if depth == 0:
            return 1.0
        return [nested(rng.randint(0, depth - 1)) for _ in range(rng.randint(0, 3))]

    return json.dumps({"signature_name": "half", "inputs": [nested(3), [1.0]]}).encode()


def _cut_json(rng: random.Random) -> bytes:
    text = json.dumps({"signature_name": "half", "instances": [1.0, "\\u00e9\n", {"a": None}]})
    return text.encode()[: rng.randrange(len(text))]


def _noise(rng: random.Random) -> bytes:
    return b"{" + rng.randbytes(rng.randint(0, 60))


def _other_json(rng: random.Random) -> bytes:
    value = rng.choice(
        [None, 1, -0.0, "x", [], {}, [HALF], {"instances": {}}, {"inputs": 5}, "b64"]
    )
    key = rng.choice(["instances", "inputs", "signature_name", "", "b64"])
    return json.dumps(rng.choice([value, {key: value}, {**HALF, "inputs": value}])).encode()


def _deep(rng: random.Random) -> bytes:
    depth = rng.randint(40, 20_000)
    opening = rng.choice([b"[", b'{"a":'])
    start = b'{"signature_name": "half", "inputs": ' if rng.random() < 0.7 else b""
    closing = {b"[": b"]"}.get(opening, b"}") if rng.random() < 0.5 else b""
    value = b"1" if closing else b""
    return start + opening * depth + value + closing * depth + (b"}" if start and closing else b"")


def _digits(rng: random.Random) -> bytes:
    number = rng.choice([b"1" * rng.randint(400, 6000), b"1e" + b"9" * rng.randint(3, 400), b"01"])
    return b'{"signature_name": "half", "instances": [' + number + b"]}"


_BODIES = [
    *[_wrong_type] * 3,
    *[_wrong_keys] * 3,
    *[_wrong_shape] * 2,
    *[_cut_json] * 2,
    *[_noise] * 2,
    *[_other_json] * 2,
    _digits,
]
_METHODS = ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW", "G3T"]
_PATHS = [
    "/v1/models/cases:classify",
    "/v1/models/cases:regress",
    "/v1/models/cases:",
    "/v1/models/cases/versions/x:predict",
    "/v1/models/cases/versions/99999999999999999999:predict",
    "/v1/models/cases/labels/stable:predict",
    "/v1/models/cases/../cases:predict",
    "/v1/models/c%61ses%00:predict",
    "/v1/models/%ff%fe:predict",
    "/v1/models//cases:predict",
    "/v1/models/cases:predict/",
    "/v1/" + "a" * 4000,
    "/v1",
    "/",
    "*",
]


@pytest.mark.parametrize("number", [500, pytest.param(10_000, marks=pytest.mark.nightly)])
def test_malformed_requests(server: LocalServer, number: int) -> None:
    rng = random.Random(0)
    http = Http(server.rest_url)
    good = http.predict(HALF)
    assert good.json() == {"predictions": [0.5]}
    counts = dict.fromkeys(("body", "route", "raw"), 0)
    for i in range(number):
        if i % 20 == 0:
            counts["raw"] += 1
            sent = _raw(rng)
            answer = send(server.rest_url, *sent)
            assert answer[:12] in (b"", *(b"HTTP/1.1 %d" % code for code in range(400, 500))), sent
            continue
        if i % 4 == 0:
            counts["route"] += 1
            method = rng.choice(_METHODS)
            path = rng.choice([f"{http.path}:predict", *_PATHS])
            if method == "GET" and not path.startswith("/v1/m"):
                method = "POST"
            if path == "/" and method == "HEAD":  # The page.
                method = "PUT"
            body = json.dumps(HALF).encode()
        else:
            counts["body"] += 1
            method, path = "POST", f"{http.path}:predict"
            make = _deep if i % 100 == 3 else rng.choice(_BODIES)
            body = make(rng)
        answer = http.ask(method, path, body)
        assert 400 <= answer.status < 500, (method, path, body[:500], answer)
        assert method == "HEAD" or list(answer.json()) == ["error"]
        if i % 500 == 1:
            assert http.predict(HALF) == good
    assert min(counts.values()) >= number // 20
    assert http.predict(HALF) == good
    assert http.ask("GET", http.path).status == 200
    http.close()


def _raw(rng: random.Random) -> tuple[bytes, bool]:
    """Returns bytes that are no whole HTTP request, and whether the client then hangs up."""
    body = json.dumps(HALF).encode()
    good = whole(HALF)
    match rng.randrange(8):
        case 0:  # Cut anywhere: the connection is closed by the client.
            return good[: rng.randrange(len(good) - 1)], True
        case 1:
            return rng.randbytes(rng.randint(1, 200)) + b"\r\n\r\n", False
        case 2:
            return HEAD + b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1), False
        case 3:
            return HEAD + b"Content-Length: many\r\n\r\n" + body, False
        case 4:
            return HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + body, False
        case 5:
            parts = b"".join(b"400\r\n%s\r\n" % (b"x" * 1024) for _ in range(MAX_BODY // 1024 + 1))
            return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + parts, False
        case 6:
            return HEAD + b"X: " + b"x" * 200_000 + b"\r\n\r\n", False
        case _:
            return b"POST /v1/models/cases:predict\r\n\r\n", False


def test_malformed_tensors(server: LocalServer) -> None:
    rng = random.Random(0)
    refusals = {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.NOT_FOUND,
    }
    with grpc.insecure_channel(server.grpc_target) as channel:
        stub = PredictionServiceStub(channel)
        for _ in range(500):
            request = predict_request("cases", "half", x=np.float32([1, 2]))
            tensor = request.inputs["x"]
            match rng.randrange(6):
                case 0:
                    tensor.dtype = rng.choice([n for n in range(-1, 130) if n != tensor.dtype])
                case 1:
                    tensor.tensor_shape.dim[0].size = rng.choice([-1, -(2**63), 2**62, 2**50, 3])
                case 2:
                    tensor.tensor_shape.unknown_rank = True
                case 3:
                    tensor.tensor_content = rng.randbytes(rng.choice([1, 3, 4, 7, 9, 12]))
                case 4:
                    del tensor.tensor_shape.dim[:]
                case _:
                    for _ in range(rng.choice([1, 63, 300])):
                        tensor.tensor_shape.dim.add(size=1)
            with pytest.raises(grpc.RpcError) as error:
                stub.Predict(request, timeout=PATIENCE)
            assert error.value.code() in refusals, (request, error.value)
        # Bytes that are no request at all.
        ask = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        for _ in range(100):
            with pytest.raises(grpc.RpcError) as error:
                ask(rng.randbytes(rng.randint(0, 60)), timeout=PATIENCE)
            assert error.value.code() in refusals, error.value
