"""The bounds of the local server: time, places, sizes, and the end."""

from __future__ import annotations

import gc
import json
import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf

from export.serving import local_server
from export.serving.local_server import LocalServer
from export.serving.protos import array_of
from export.serving.servable import Servable, load_newest
from tests.local_servers import running, send, stub_of, until
from tests.served import PATIENCE, Http, predict_request
from tests.served_model import FOREVER, HALF, row, write_model

SLOW = {"signature_name": "slow", "instances": [FOREVER]}
MAX_BODY = 100_000
OK = grpc.StatusCode.OK
HEAD = b"POST /v1/models/cases:predict HTTP/1.1\r\nHost: x\r\n"
WHOLE = HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(json.dumps(HALF))
WHOLE += json.dumps(HALF).encode()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("served") / "cases")


@pytest.fixture(scope="module")
def small_server(model: Path) -> Iterator[LocalServer]:
    with running(model, max_body_bytes=MAX_BODY) as server:
        yield server


def _half() -> object:
    return predict_request("cases", "half", x=np.float32([1]))


def _slow() -> object:
    return predict_request("cases", "slow", steps=[FOREVER])


def test_a_deadline_over_rest(model: Path) -> None:
    with running(model, timeout=0.5, max_requests=1) as server:
        http = Http(server.rest_url)
        # On a machine that stalls, a body may be late, or a good answer.
        answer = until(lambda: http.predict(SLOW), lambda answer: answer.status != 408)
        assert answer.status == 504 and answer.json()["error"]
        until(lambda: http.predict(HALF), lambda answer: answer.status == 200)
        http.close()


def test_a_deadline_of_the_server_over_grpc(model: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running(model, timeout=0.5, max_requests=1) as server, stub_of(server) as stub:
        for timeout in (None, PATIENCE):
            with pytest.raises(grpc.RpcError) as error:
                stub.Predict(_slow(), timeout=timeout)
            assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        until(lambda: stub.Predict.future(_half()).code(), lambda code: code == OK)
    gc.collect()  # What nobody asked for any more is no news.
    assert caplog.text == ""


def test_an_expired_call_gives_its_place_back(model: Path) -> None:
    with running(model, max_requests=1) as server, stub_of(server) as stub:
        call = stub.Predict.future(_slow(), timeout=0.5)
        assert call.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        http = Http(server.rest_url)
        until(lambda: http.predict(HALF), lambda answer: answer.status == 200)
        http.close()


def test_no_more_requests_than_allowed_are_at_work(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, go_on = threading.Semaphore(0), threading.Event()
    predict = Servable.predict

    def held(servable, signature_name, inputs, *more):
        if signature_name == "slow":
            at_work.release()
            go_on.wait(PATIENCE)
            inputs = {"steps": np.int64([1])}
        return predict(servable, signature_name, inputs, *more)

    monkeypatch.setattr(Servable, "predict", held)
    with (
        running(model, timeout=PATIENCE, max_requests=2) as server,
        stub_of(server) as stub,
        ThreadPoolExecutor(1) as threads,
    ):
        # One place for each protocol: the bound is on both together.
        over_grpc = stub.Predict.future(_slow(), timeout=PATIENCE)
        over_rest = threads.submit(Http(server.rest_url).predict, SLOW)
        assert at_work.acquire(timeout=PATIENCE) and at_work.acquire(timeout=PATIENCE)
        http = Http(server.rest_url)
        refused = http.predict(HALF)
        assert refused.status == 429 and "at work" in refused.json()["error"]
        refused = send(server.rest_url, WHOLE)
        assert refused.startswith(b"HTTP/1.1 429") and b"retry-after: 1\r\n" in refused.lower()
        with pytest.raises(grpc.RpcError) as error:
            stub.Predict(_half(), timeout=PATIENCE)
        assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        # The state is told all the while.
        assert http.ask("GET", http.path).status == 200
        go_on.set()
        assert over_rest.result().status == 200
        assert list(over_grpc.result().outputs["last"].int64_val) == [1]
        # A place is free a moment after its answer is there.
        until(lambda: http.predict(HALF), lambda answer: answer.status == 200)
        http.close()


def test_a_stop_cuts_short_what_lasts(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_server, "_GRACE", 1)
    at_work = threading.Semaphore(0)
    predict = Servable.predict

    def counted(*args):
        at_work.release()
        return predict(*args)

    monkeypatch.setattr(Servable, "predict", counted)
    server = LocalServer(load_newest(model))
    server.start()
    with stub_of(server) as stub, ThreadPoolExecutor(1) as threads:
        over_grpc = stub.Predict.future(_slow())
        slow = json.dumps(SLOW).encode()
        asked = HEAD + b"Content-Length: %d\r\n\r\n" % len(slow) + slow
        over_rest = threads.submit(send, server.rest_url, asked)
        assert at_work.acquire(timeout=PATIENCE) and at_work.acquire(timeout=PATIENCE)
        server.stop()
        answer = over_rest.result()
        assert answer.startswith(b"HTTP/1.1 503") and b"retry-after: 1\r\n" in answer.lower()
        assert b'{"error": "' in answer
        assert over_grpc.code() == grpc.StatusCode.UNAVAILABLE


def test_a_body_over_the_limit(small_server: LocalServer) -> None:
    url = small_server.rest_url
    declared = HEAD + b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1)
    assert send(url, declared).startswith(b"HTTP/1.1 413")
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % (2 * MAX_BODY)
    assert send(url, chunked + b"x" * (MAX_BODY + 1)).startswith(b"HTTP/1.1 413")
    http = Http(url)
    padding = " " * (MAX_BODY - len(json.dumps(HALF)))
    assert http.predict((json.dumps(HALF) + padding).encode()).status == 200
    http.close()


def test_a_tensor_over_the_limit(small_server: LocalServer) -> None:
    with stub_of(small_server) as stub:
        # One element stands for 2**40.
        request = _half()
        request.inputs["x"].tensor_shape.dim[0].size = 2**40
        with pytest.raises(grpc.RpcError) as error:
            stub.Predict(request, timeout=PATIENCE)
        assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        request = predict_request("cases", "half", x=np.zeros(MAX_BODY, np.float32))
        with pytest.raises(grpc.RpcError) as error:
            stub.Predict(request, timeout=PATIENCE)
        assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def _promise(dtype: str, sizes: list[int]) -> tf.compat.v1.TensorProto:
    """One element, and a shape of more."""
    value = np.array([b"tea"], object) if dtype == "string" else np.array([1], dtype)
    proto = tf.make_tensor_proto(value)
    proto.ClearField("tensor_shape")
    for size in sizes:
        proto.tensor_shape.dim.add(size=size)
    return proto


@pytest.mark.parametrize(
    ("signature", "name", "dtype", "sizes"),
    [
        ("half", "x", "float32", [200]),
        ("half", "x", "float32", [2]),
        ("look_up", "word", "string", [200]),
        ("types", "flag", "bool", [5]),
        ("types", "point", "float64", [5, 2]),
        ("types", "small", "uint8", [5]),
        ("slow", "steps", "int64", [3, 2]),
    ],
)
def test_a_shape_that_promises_more_than_there_is(
    small_server: LocalServer, signature: str, name: str, dtype: str, sizes: list[int]
) -> None:
    request = predict_request("cases", signature)
    request.inputs[name].CopyFrom(_promise(dtype, sizes))
    (values,) = (
        field.name for field, _ in request.inputs[name].ListFields() if "_val" in field.name
    )
    with stub_of(small_server) as stub:
        for _ in range(2):
            with pytest.raises(grpc.RpcError) as error:
                stub.Predict(request, timeout=PATIENCE)
            assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
            assert f"{np.prod(sizes)} elements" in error.value.details()
            request.inputs[name].ClearField(values)  # The C++ runtime would make it of zeros.


def test_no_array_is_made_of_a_promise_or_of_too_many_rows() -> None:
    million = 2**20
    rows = predict_request("cases", "half", x=np.zeros(million, np.float32)).inputs["x"]
    words = tf.make_tensor_proto([b""] * million)
    tracemalloc.start()
    try:
        for proto, max_rows in (
            (_promise("float32", [million]), None),
            (_promise("string", [million]), None),
            (rows, 1000),
            (words, 1000),
        ):
            with pytest.raises(tf.errors.InvalidArgumentError):
                array_of("x", proto, 2**40, max_rows)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_more_rows_than_allowed(model: Path) -> None:
    with running(model, max_rows=3) as server, stub_of(server) as stub:
        http = Http(server.rest_url)
        for rows, status in ((3, 200), (4, 400), (3000, 400)):
            x = [1.0] * rows
            generate = {"instances": [row()] * rows}
            columns = {name: [value] * rows for name, value in row().items()}
            for document in (
                {"signature_name": "half", "instances": x},
                {"signature_name": "half", "inputs": x},
                {"signature_name": "half", "inputs": {"x": x}},
                generate,
                {"inputs": columns},
                {"inputs": {**columns, "seed": [1] * 4}} if status == 400 else generate,
            ):
                answer = http.predict(document)
                assert answer.status == status
                assert status == 200 or "at most 3" in answer.json()["error"]
            call = stub.Predict.future(predict_request("cases", "half", x=np.float32(x)))
            if status == 200:
                assert call.code() == OK
            else:
                assert call.code() == grpc.StatusCode.INVALID_ARGUMENT
                assert f"x has {rows} rows" in call.details()
        http.close()


def test_a_body_that_does_not_arrive(model: Path) -> None:
    with running(model, timeout=0.3) as server:
        answer = send(server.rest_url, HEAD + b"Content-Length: 9\r\n\r\n{")
        assert answer.startswith(b"HTTP/1.1 408")
