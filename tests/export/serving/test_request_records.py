"""What a server keeps and says of its requests: log, identifiers, metrics; and whom it lets ask."""

from __future__ import annotations

import io
import json
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import grpc
import numpy as np
import pytest

from export.serving.local_server import LocalServer
from export.serving.request_log import RequestLog
from tests.export.serving.asked import numbers_of
from tests.local_servers import http_of, running, send, stub_of, until
from tests.served import PATIENCE, Answer, predict_request
from tests.served_model import HALF

ORIGIN = "https://example.org"
MODEL = "/v1/models/cases"


class Run(NamedTuple):
    server: LocalServer
    log: io.StringIO

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """The answer to a request on a connection of its own."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with http_of(self.server) as http:
            return http.ask(method, path, data, named)

    def line(self, identifier: str) -> str:
        """The line that the log has of a request."""

        def lines() -> list[str]:
            there = self.log.getvalue().splitlines()
            return [line for line in there if f"id={identifier} " in line]

        (line,) = until(lines, bool)
        return line


@pytest.fixture(scope="module")
def run(model: Path) -> Iterator[Run]:
    log = io.StringIO()
    with running(model, log=log, cors_origins=[ORIGIN.upper()], max_body_bytes=100_000) as server:
        yield Run(server, log)


def test_a_line_a_request(run: Run) -> None:
    got = run.ask("POST", f"{MODEL}:predict", HALF, x_request_id="mine-1")
    assert got.headers["X-Request-Id"] == "mine-1"
    line = run.line("mine-1")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\S+ REST POST /v1/models/cases:predict half 200 \d+\.\d ms "
        r"id=mine-1 client=127\.0\.0\.1",
        line,
    )
    for method, path, status in [
        ("GET", MODEL, 200),
        ("GET", "/v1/foo", 400),
        ("GET", "/nothing", 404),
        ("POST", f"{MODEL}:predict", 400),
        ("HEAD", f"{MODEL}/metadata", 200),
    ]:
        got = run.ask(method, path, x_request_id="one two")  # No identifier: it gets a new one.
        assert got.status == status
        identifier = got.headers["X-Request-Id"]
        assert re.fullmatch("[0-9a-f]{16}", identifier)
        assert f" {method} {path} - {status} " in run.line(identifier)
    got = run.ask("GET", f"/{'x' * 1000}")
    assert len(run.line(got.headers["X-Request-Id"])) < 400


def test_a_line_a_call(run: Run) -> None:
    with stub_of(run.server) as stub:
        request = predict_request("cases", "half", x=np.float32([1]))
        given = [("x-request-id", "call-1")]
        _, call = stub.Predict.with_call(request, timeout=PATIENCE, metadata=given)
        assert ("x-request-id", "call-1") in [tuple(pair) for pair in call.trailing_metadata()]
        assert " gRPC Predict half OK " in run.line("call-1")
        assert run.line("call-1").endswith("client=127.0.0.1")
        request.model_spec.signature_name = "nothing"
        with pytest.raises(grpc.RpcError) as error:
            stub.Predict(request, timeout=PATIENCE)
        (identifier,) = (v for k, v in error.value.trailing_metadata() if k == "x-request-id")
        assert " gRPC Predict - FAILED_PRECONDITION " in run.line(identifier)


def test_a_line_of_what_is_no_request_and_none_of_its_own(run: Run) -> None:
    before = len(run.log.getvalue().splitlines())
    url = run.server.rest_url
    assert send(url, b"NO HTTP\r\n\r\n").startswith(b"HTTP/1.1 400")
    evil = b"GET /v1/\x1b[31m%0aevil HTTP/1.1\r\nHost: x\r\n\r\n"
    assert send(url, evil).startswith(b"HTTP/1.1 400")
    lines = until(lambda: run.log.getvalue().splitlines()[before:], lambda lines: len(lines) >= 2)
    assert len(lines) == 2 and all(" 400 " in line for line in lines)
    assert "\x1b" not in run.log.getvalue()
    # One that breaks off within its body has that status, and not that of a client that left.
    head = f"POST {MODEL}:predict HTTP/1.1\r\nHost: x\r\nX-Request-Id: chunk\r\n"
    assert send(url, head.encode() + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")[9:12] == b"400"
    assert " 400 " in run.line("chunk")


def _refused(run: Run) -> Iterator[tuple[str, Answer]]:
    predict = f"{MODEL}:predict"
    yield "route", run.ask("GET", "/v1/foo")
    yield "deep route", run.ask("POST", f"{MODEL}/versions/1/2/3:predict", HALF)
    yield "method", run.ask("DELETE", MODEL)
    yield "brewed", run.ask("BREW", predict, HALF)
    yield "options", run.ask("OPTIONS", predict)
    yield "version", run.ask("GET", f"{MODEL}/versions/18446744073709551615")
    yield "no such version", run.ask("GET", f"{MODEL}/versions/7")
    yield "no version", run.ask("POST", f"{MODEL}/versions/x:predict", HALF)
    yield "label", run.ask("GET", f"{MODEL}/labels/stable")
    yield "too large", run.ask("POST", predict, b" " * 5_000_000)
    yield "no JSON", run.ask("POST", predict, b"{")
    asked = {"Origin": "https://evil.org", "Access-Control-Request-Method": "POST"}
    yield "origin", run.ask("OPTIONS", predict, **asked)
    yield "websocket", run.ask("GET", predict, Connection="Upgrade", Upgrade="websocket")


def test_every_refusal_is_json(run: Run) -> None:
    seen = 0
    for what, got in _refused(run):
        assert 400 <= got.status < 500, what
        assert got.headers["Content-Type"] == "application/json", what
        assert list(json.loads(got.body)) == ["error"], what
        seen += 1
    assert seen == 13
    for raw in (
        b"GET /v1/models/cases HTTP\r\n\r\n",
        b"GET /v1/models/cases\r\n\r\n",
        b"POST /v1/models/cases:predict HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"POST /v1/models/cases:predict HTTP/1.1\r\nHost: x\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /v1/models/cases HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
    ):
        head, _, body = send(run.server.rest_url, raw).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400") and b"application/json" in head
        assert list(json.loads(body)) == ["error"]


@pytest.mark.parametrize("path", [MODEL, f"{MODEL}/metadata", f"{MODEL}/versions/9", "/metrics"])
def test_head_is_get_without_the_body(run: Run, path: str) -> None:
    get, head = run.ask("GET", path), run.ask("HEAD", path)
    assert head.status == get.status and head.body == b"" and get.body
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    if path != "/metrics":  # Whose numbers differ.
        assert head.headers["Content-Length"] == get.headers["Content-Length"]


def test_metrics(model: Path) -> None:
    with running(model) as server, stub_of(server) as stub, http_of(server) as http:
        for _ in range(3):
            http.predict(HALF)
        http.predict({"signature_name": "half", "instances": ["x"]})
        for name in ("nothing", "n" * 100, "score\n"):  # These are not counted one by one.
            http.predict({"signature_name": name, "instances": [1]})
        stub.Predict(predict_request("cases", "half", x=np.float32([1])), timeout=PATIENCE)
        numbers = numbers_of(http)
    count = 'latentflow_requests_total{protocol="%s",signature="%s",status="%s"}'
    assert numbers[count % ("REST", "half", 200)] == 3
    assert numbers[count % ("REST", "half", 400)] == 1
    assert numbers[count % ("REST", "", 400)] == 3
    assert numbers[count % ("gRPC", "half", "OK")] == 1
    seconds = 'latentflow_request_seconds_%s{%sprotocol="REST",signature="half"}'
    assert numbers[seconds % ("count", "")] == 4
    assert numbers[seconds % ("bucket", 'le="60.0",')] == 4
    assert 0 < numbers[seconds % ("sum", "")] < 4 * PATIENCE
    assert numbers["latentflow_requests_in_flight"] == 0
    assert numbers["latentflow_requests_queued"] == 0
    assert not any("nothing" in name for name in numbers)


def test_other_origins(run: Run, model: Path) -> None:
    asked = {"Access_Control_Request_Method": "POST"}
    preflight = run.ask("OPTIONS", f"{MODEL}:predict", Origin=ORIGIN, **asked)
    assert preflight.status == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == ORIGIN
    got = run.ask("POST", f"{MODEL}:predict", HALF, Origin=ORIGIN)
    assert got.headers["Access-Control-Allow-Origin"] == ORIGIN
    refused = run.ask("OPTIONS", f"{MODEL}:predict", Origin="https://evil.org", **asked)
    assert refused.status == 400
    got = run.ask("POST", f"{MODEL}:predict", HALF, Origin="https://evil.org")
    assert got.status == 200 and "Access-Control-Allow-Origin" not in got.headers
    with running(model) as server:  # By default nobody.
        got = Run(server, io.StringIO()).ask("POST", f"{MODEL}:predict", HALF, Origin=ORIGIN)
        assert got.status == 200 and "Access-Control-Allow-Origin" not in got.headers
        refused = Run(server, io.StringIO()).ask("OPTIONS", f"{MODEL}:predict", Origin=ORIGIN)
        assert refused.status == 400


def test_a_log_that_nobody_reads_holds_up_no_request(model: Path) -> None:
    read, write = os.pipe()  # It holds 64 KiB.
    with os.fdopen(write, "w") as stream, os.fdopen(read) as reader:
        with running(model, log=stream) as server, http_of(server) as http:
            for _ in range(1500):
                assert http.ask("GET", "/nothing").status == 404
        # Who comes to read at last finds them all.
        assert all(" GET /nothing - 404 " in reader.readline() for _ in range(1500))


def test_lines_that_are_left_out_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("export.serving.request_log._MOST_WAITING", 2)
    go_on, taken = threading.Event(), threading.Event()

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            taken.set()
            go_on.wait(PATIENCE)
            return super().write(text)

    stream = Stream()
    log = RequestLog(stream)
    log.write("first")
    assert taken.wait(PATIENCE)
    for number in range(5):
        log.write(f"line {number}")
    go_on.set()
    until(stream.getvalue, lambda text: "line 1" in text)
    log.write("next")
    until(stream.getvalue, lambda text: "next" in text)
    log.write("last")
    log.close()
    lines = ["first", "line 0", "line 1", "3 lines of this log are left out", "next", "last"]
    assert stream.getvalue().splitlines() == lines
