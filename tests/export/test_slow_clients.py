"""Clients that hold connections, idle or slow: they lock nobody out, and do not last."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import grpc
import numpy as np
import pytest

from export.serving.connections import Connections
from export.serving.local_server import LocalServer
from tests.local_servers import running, send, stub_of, until
from tests.served import PATIENCE, Http, predict_request
from tests.served_model import HALF, write_model

SHORT = 0.5  # Longer than a good request takes to be sent, also on a machine that stalls [s].
HEAD = b"POST /v1/models/cases:predict HTTP/1.1\r\nHost: x\r\n"
BODY = json.dumps(HALF).encode()
PART_OF_BODY = HEAD + b"Content-Length: 100\r\n\r\n{"
ATTACKERS = [f"127.0.0.{i}" for i in range(2, 6)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("served") / "cases")


def _half() -> object:
    return predict_request("cases", "half", x=np.float32([1]))


def _connect(server: LocalServer, source: str = "127.0.0.1", port: int = 0) -> socket.socket:
    address = ("127.0.0.1", port or server.rest_port)
    return socket.create_connection(address, PATIENCE, source_address=(source, 0))


def _rest(connection: socket.socket) -> bytes:
    """What still comes on a connection before the server closes it."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            received += piece
    return received


@contextlib.contextmanager
def _slow_ones(server: LocalServer, num: int, source: str, data: bytes) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for _ in range(num):
            connection = stack.enter_context(_connect(server, source))
            with contextlib.suppress(OSError):  # One that had to give way already.
                connection.sendall(data)
        yield


def _ask(server: LocalServer, source: str) -> int:
    """The status of a good request from an address."""
    connection = HTTPConnection(
        "127.0.0.1", server.rest_port, timeout=PATIENCE, source_address=(source, 0)
    )
    try:
        connection.request("POST", urlsplit(server.rest_url).path + ":predict", BODY)
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
        with _connect(server) as silent:
            assert _rest(silent) == b""
        answer = send(server.rest_url, HEAD)
        assert answer.startswith(b"HTTP/1.1 408") and b'{"error": "The head' in answer
        # The same between two requests, and within the second one's head.
        whole = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
        assert send(server.rest_url, whole).startswith(b"HTTP/1.1 200")
        answer = send(server.rest_url, whole + HEAD)
        assert answer.startswith(b"HTTP/1.1 200") and b"HTTP/1.1 408" in answer


def test_a_head_that_trickles_has_no_longer(model: Path) -> None:
    with running(model, idle_timeout=SHORT) as server, _connect(server) as connection:
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
        assert _rest(connection).count(b"HTTP/1.1 200") < sent


def test_a_client_that_reads_slowly_gets_its_answer(model: Path) -> None:
    rows = [1.5] * 60_000
    document = json.dumps({"signature_name": "half", "inputs": rows}).encode()
    with (
        running(model, idle_timeout=SHORT, max_rows=len(rows)) as server,
        socket.socket() as connection,
    ):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.rest_port))
        connection.settimeout(PATIENCE)
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(document) + document)
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
    with running(model, max_body_bytes=1000) as server:
        http = Http(server.rest_url)
        for _ in range(3):
            answer = http.predict(body)
            assert (answer.status, list(answer.json())) == (413, ["error"])
            assert http.predict(HALF).status == 200
        http.close()


@contextlib.contextmanager
def _calls_without_request(server: LocalServer, connections: int) -> Iterator[list[grpc.Future]]:
    """Four calls on each of many connections, as many as one may have if `max_requests` is 2."""
    ended = threading.Event()

    def nothing() -> Iterator[bytes]:
        ended.wait(PATIENCE)
        yield from ()

    with contextlib.ExitStack() as stack:
        calls = []
        for _ in range(connections):
            own = [("grpc.use_local_subchannel_pool", 1)]
            channel = stack.enter_context(grpc.insecure_channel(server.grpc_target, own))
            ask = channel.stream_unary("/tensorflow.serving.PredictionService/Predict")
            calls += [ask.future(nothing()) for _ in range(4)]
        yield calls
        ended.set()


def test_a_call_without_its_request_ends(model: Path) -> None:
    with running(model, timeout=SHORT) as server, _calls_without_request(server, 1) as calls:
        for call in calls:
            assert call.code() == grpc.StatusCode.DEADLINE_EXCEEDED
            assert call.details() == "The request did not arrive in time"


def test_calls_without_their_request_lock_nobody_out(model: Path) -> None:
    # No deadline helps within this test: of the calls of one address those give way that wait
    # longest, once there are more than places and 32.
    with (
        running(model, max_requests=2, timeout=PATIENCE) as server,
        _calls_without_request(server, 10) as calls,
        stub_of(server) as stub,
    ):
        answer = stub.Predict(_half(), timeout=PATIENCE)
        assert list(answer.outputs["y"].float_val) == [0.5]
        ended = until(lambda: [call for call in calls if call.done()], lambda ended: ended)
        assert {call.code() for call in ended} == {grpc.StatusCode.DEADLINE_EXCEEDED}


def test_silent_connections_of_grpc_lock_nobody_out(model: Path) -> None:
    with running(model, idle_timeout=SHORT) as server, contextlib.ExitStack() as stack:
        silent = [stack.enter_context(_connect(server, port=server.grpc_port)) for _ in range(100)]
        with stub_of(server) as stub:
            answer = stub.Predict(_half(), timeout=PATIENCE)
        assert list(answer.outputs["y"].float_val) == [0.5]
        for connection in silent:
            _rest(connection)  # Ends, as the server ends each.


def test_a_connection_of_grpc_without_calls_is_ended(model: Path) -> None:
    states: list[grpc.ChannelConnectivity] = []
    with running(model, idle_timeout=SHORT) as server:
        with grpc.insecure_channel(server.grpc_target) as channel:
            channel.subscribe(states.append, try_to_connect=True)
            until(lambda: states, lambda got: grpc.ChannelConnectivity.READY in got)
            started = time.monotonic()
            until(lambda: states, lambda got: got[-1] is grpc.ChannelConnectivity.IDLE)
        assert time.monotonic() - started < PATIENCE / 4


class _Held:
    """A connection, as far as it is counted."""

    def __init__(self, client_address: str, since: float, is_at_work: bool = False) -> None:
        self.client_address, self.since, self.is_at_work = client_address, since, is_at_work
        self.is_dropped = False

    def drop(self) -> None:
        self.is_dropped = True


def test_who_gives_way() -> None:
    connections = Connections(most=5, most_of_one=3)
    busy, old, new = _Held("a", 0, is_at_work=True), _Held("a", 1), _Held("a", 2)
    other = _Held("b", 0)
    assert all(connections.add(one) for one in (busy, old, new, other))
    assert connections.add(_Held("a", 3)) and old.is_dropped  # Of a's three.
    assert connections.add(_Held("b", 4)) and not other.is_dropped
    assert connections.add(_Held("c", 5)) and new.is_dropped  # Of whoever has most.
    assert not (busy.is_dropped or other.is_dropped)
    connections.remove(other)
    connections.remove(other)
    assert connections.add(_Held("c", 6))
    full = Connections(most=2, most_of_one=1)
    assert full.add(_Held("a", 0, is_at_work=True))
    assert not full.add(_Held("a", 1)) and full.add(_Held("b", 2))
