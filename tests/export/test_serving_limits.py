"""The bounds of the local server: time, places, sizes, and the end."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest

from export.serving import local_server
from export.serving.local_server import LocalServer
from export.serving.servable import Servable, load_newest
from tests.local_servers import running, send, stub_of, until
from tests.served import PATIENCE, Http, predict_request
from tests.served_model import FOREVER, HALF, write_model

SLOW = {"signature_name": "slow", "instances": [FOREVER]}
MAX_BODY = 100_000
HEAD = b"POST /v1/models/cases:predict HTTP/1.1\r\nHost: x\r\n"


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
        over_rest = threads.submit(Http(server.rest_url).predict, SLOW)
        assert at_work.acquire(timeout=PATIENCE) and at_work.acquire(timeout=PATIENCE)
        server.stop()
        assert over_rest.result().status == 503
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


def test_a_body_that_does_not_arrive(model: Path) -> None:
    with running(model, timeout=0.3) as server:
        answer = send(server.rest_url, HEAD + b"Content-Length: 9\r\n\r\n{")
        assert answer.startswith(b"HTTP/1.1 408")
