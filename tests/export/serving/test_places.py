"""How many requests may be at work, and when a place is free again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from tests.export.serving.asked import SLOW, Held, half, slow, whole
from tests.local_servers import http_of, running, send, stub_of, until
from tests.served import PATIENCE, Http
from tests.served_model import HALF


def test_no_more_requests_than_allowed_are_at_work(model: Path, held: Held) -> None:
    with (
        running(model, timeout=PATIENCE, max_requests=2) as server,
        stub_of(server) as stub,
        http_of(server) as http,
        ThreadPoolExecutor(1) as threads,
    ):
        # One place for each protocol: the bound is on both together.
        over_grpc = stub.Predict.future(slow(), timeout=PATIENCE)
        over_rest = threads.submit(Http(server.rest_url).predict, SLOW)
        until(lambda: held.begun, lambda begun: begun == 2)
        refused = http.predict(HALF)
        assert refused.status == 429 and "at work" in refused.json()["error"]
        refused = send(server.rest_url, whole(HALF, b"Connection: close\r\n"))
        assert refused.startswith(b"HTTP/1.1 429") and b"retry-after: 1\r\n" in refused.lower()
        with pytest.raises(grpc.RpcError) as error:
            stub.Predict(half(), timeout=PATIENCE)
        assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        # The state is told all the while.
        assert http.ask("GET", http.path).status == 200
        held.go_on.set()
        assert over_rest.result().status == 200
        assert list(over_grpc.result().outputs["last"].int64_val) == [1]
        # A place is free a moment after its answer is there.
        until(lambda: http.predict(HALF), lambda answer: answer.status == 200)


def test_an_expired_call_gives_its_place_back(model: Path) -> None:
    with (
        running(model, max_requests=1) as server,
        stub_of(server) as stub,
        http_of(server) as http,
    ):
        call = stub.Predict.future(slow(), timeout=0.5)
        assert call.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        until(lambda: http.predict(HALF), lambda answer: answer.status == 200)
