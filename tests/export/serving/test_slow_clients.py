"""Clients that hold connections, idle or slow: they lock nobody out, and do not last."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from export.serving.local_server import LocalServer
from tests.export.serving.asked import HEAD, SHORT, connect, rest_of, whole
from tests.local_servers import http_of, running, send, until
from tests.served import PATIENCE
from tests.served_model import HALF

PART_OF_BODY = HEAD + b"Content-Length: 100\r\n\r\n{"
ATTACKERS = [f"127.0.0.{i}" for i in range(2, 6)]


@contextlib.contextmanager
def _slow_ones(server: LocalServer, num: int, source: str, data: bytes) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for _ in range(num):
            connection = stack.enter_context(connect(server, source))
            with contextlib.suppress(OSError):  # One that had to give way already.
                connection.sendall(data)
        yield


def _ask(server: LocalServer, source: str) -> int:
    """The status of a good request from an address."""
    connection = HTTPConnection(
        "127.0.0.1", server.rest_port, timeout=PATIENCE, source_address=(source, 0)
    )
    try:
        connection.request(
            "POST", urlsplit(server.rest_url).path + ":predict", json.dumps(HALF).encode()
        )
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("data", [b"", HEAD, PART_OF_BODY], ids=["silent", "head", "body"])
def test_many_slow_connections_lock_nobody_out(model: Path, data: bytes) -> None:
    # No time-out helps within this test: those who wait longest give way.
    with (
        running(model, max_requests=1, timeout=PATIENCE, idle_timeout=PATIENCE) as server,
        contextlib.ExitStack() as stack,
    ):
        for source in ATTACKERS:
            stack.enter_context(_slow_ones(server, 60, source, data))
        assert _ask(server, ATTACKERS[0]) == 200
        assert _ask(server, "127.0.0.1") == 200
        open_now = [c for c in server._rest.server_state.connections if not c._lingers]
        assert len(open_now) <= 80  # 16 of a place, and 64.
        # A server ends at once, whoever still holds connections.
        started = time.monotonic()
    assert time.monotonic() - started < PATIENCE / 2


def test_a_connection_that_waits_too_long_is_closed(model: Path) -> None:
    with running(model, idle_timeout=SHORT) as server:
        with connect(server) as silent:
            assert rest_of(silent) == b""
        answer = send(server.rest_url, HEAD)
        assert answer.startswith(b"HTTP/1.1 408") and b'{"error": "The head' in answer
        # The same between two requests, and within the second one's head.
        assert send(server.rest_url, whole(HALF)).startswith(b"HTTP/1.1 200")
        answer = send(server.rest_url, whole(HALF) + HEAD)
        assert answer.startswith(b"HTTP/1.1 200") and b"HTTP/1.1 408" in answer


def test_a_head_that_trickles_has_no_longer(model: Path) -> None:
    with running(model, idle_timeout=SHORT) as server, connect(server) as connection:
        started = time.monotonic()
        with contextlib.suppress(OSError):
            for i in range(1000):
                connection.sendall(HEAD[i : i + 1] or b"X: y\r\n")
                time.sleep(SHORT / 10)
        assert time.monotonic() - started < 100 * SHORT  # And not all that it would say.


def test_a_client_that_does_not_read_is_let_go(model: Path) -> None:
    with running(model, idle_timeout=SHORT) as server, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.rest_port))
        asked = b"GET /v1/models/cases/metadata HTTP/1.1\r\nHost: x\r\n\r\n"
        connection.settimeout(SHORT)
        sent = 0
        with contextlib.suppress(OSError):  # It takes no more than it can answer.
            while True:
                connection.sendall(asked * 100)
                sent += 100
        until(lambda: server._rest.server_state.connections, lambda there: not there)
        connection.settimeout(PATIENCE)
        assert rest_of(connection).count(b"HTTP/1.1 200") < sent


def test_a_client_that_reads_slowly_gets_its_answer(model: Path) -> None:
    rows = [1.5] * 60_000
    with (
        running(model, idle_timeout=SHORT, max_rows=len(rows)) as server,
        socket.socket() as connection,
    ):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.rest_port))
        connection.settimeout(PATIENCE)
        connection.sendall(whole({"signature_name": "half", "inputs": rows}))
        received = b""
        while not received.endswith(b"]}"):
            piece = connection.recv(32768)
            assert piece
            received += piece
            time.sleep(SHORT / 20)
    body = received.partition(b"\r\n\r\n")[2]
    assert json.loads(body) == {"outputs": [0.75] * len(rows)}


def test_a_refusal_arrives_while_the_body_is_sent(model: Path) -> None:
    body = b" " * (8 * 2**20)
    with running(model, max_body_bytes=1000) as server, http_of(server) as http:
        for _ in range(3):
            answer = http.predict(body)
            assert (answer.status, list(answer.json())) == (413, ["error"])
            assert http.predict(HALF).status == 200
