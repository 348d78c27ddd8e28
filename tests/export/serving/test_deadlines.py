"""How long a request may last: its deadline, and the end of the server."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
import tensorflow as tf

from export.serving import local_server
from export.serving.local_server import LocalServer
from export.serving.servable import Servable, load_newest
from tests.export.serving.asked import HEAD, SLOW, half, slow, whole
from tests.local_servers import http_of, running, send, stub_of, until
from tests.served import PATIENCE
from tests.served_model import HALF

LATE = "Timed out after 0.5 s; --timeout of the server is 0.5 s"


@pytest.mark.parametrize("waits", [False, True], ids=["session", "thread"])
def test_whatever_ends_a_request_has_the_same_message(
    model: Path, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def late(*args):
        if waits:
            over.wait(PATIENCE)
        raise tf.errors.DeadlineExceededError(None, None, "Graph execution error:\n\nTimed out")

    monkeypatch.setattr(Servable, "predict", late)
    with running(model, timeout=0.5) as server, stub_of(server) as stub, http_of(server) as http:
        answer = until(lambda: http.predict(HALF), lambda answer: answer.status != 408)
        assert answer.status == 504 and answer.json() == {"error": LATE}
        with pytest.raises(grpc.RpcError) as error:
            stub.Predict(half(), timeout=PATIENCE)
        assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert LATE.partition("; ")[2] in error.value.details()
        over.set()


def test_a_deadline_over_rest(model: Path) -> None:
    with running(model, timeout=0.5, max_requests=1) as server, http_of(server) as http:
        # On a machine that stalls, a body may be late, or a good answer.
        answer = until(lambda: http.predict(SLOW), lambda answer: answer.status != 408)
        assert answer.status == 504 and answer.json() == {"error": LATE}
        answer = send(server.rest_url, whole(SLOW, b"Connection: close\r\n"))
        assert answer.startswith(b"HTTP/1.1 504") and b"retry-after: 1\r\n" in answer.lower()
        until(lambda: http.predict(HALF), lambda answer: answer.status == 200)


def test_a_deadline_of_the_server_over_grpc(model: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running(model, timeout=0.5, max_requests=1) as server, stub_of(server) as stub:
        for timeout in (None, PATIENCE):
            with pytest.raises(grpc.RpcError) as error:
                stub.Predict(slow(), timeout=timeout)
            assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        ok = grpc.StatusCode.OK
        until(lambda: stub.Predict.future(half()).code(), lambda code: code == ok)
    gc.collect()  # What nobody asked for any more is no news.
    assert caplog.text == ""


def test_a_body_that_does_not_arrive(model: Path) -> None:
    with running(model, timeout=0.3) as server:
        answer = send(server.rest_url, HEAD + b"Content-Length: 9\r\n\r\n{")
        assert answer.startswith(b"HTTP/1.1 408")


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
        over_grpc = stub.Predict.future(slow())
        over_rest = threads.submit(send, server.rest_url, whole(SLOW))
        assert at_work.acquire(timeout=PATIENCE) and at_work.acquire(timeout=PATIENCE)
        server.stop()
        answer = over_rest.result()
        assert answer.startswith(b"HTTP/1.1 503") and b"retry-after: 1\r\n" in answer.lower()
        assert b'{"error": "' in answer
        assert over_grpc.code() == grpc.StatusCode.UNAVAILABLE
