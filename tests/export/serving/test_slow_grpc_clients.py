"""Clients of gRPC that hold calls and connections: they lock nobody out, and do not last."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc

from export.serving.local_server import LocalServer
from tests.export.serving.asked import SHORT, connect, half, rest_of
from tests.local_servers import running, stub_of, until
from tests.served import PATIENCE


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
        answer = stub.Predict(half(), timeout=PATIENCE)
        assert list(answer.outputs["y"].float_val) == [0.5]
        ended = until(lambda: [call for call in calls if call.done()], lambda ended: ended)
        assert {call.code() for call in ended} == {grpc.StatusCode.DEADLINE_EXCEEDED}


def test_silent_connections_of_grpc_lock_nobody_out(model: Path) -> None:
    with running(model, idle_timeout=SHORT) as server, contextlib.ExitStack() as stack:
        silent = [stack.enter_context(connect(server, port=server.grpc_port)) for _ in range(100)]
        with stub_of(server) as stub:
            answer = stub.Predict(half(), timeout=PATIENCE)
        assert list(answer.outputs["y"].float_val) == [0.5]
        for connection in silent:
            rest_of(connection)  # Ends, as the server ends each.


def test_a_connection_of_grpc_without_calls_is_ended(model: Path) -> None:
    states: list[grpc.ChannelConnectivity] = []
    with running(model, idle_timeout=SHORT) as server:
        with grpc.insecure_channel(server.grpc_target) as channel:
            channel.subscribe(states.append, try_to_connect=True)
            until(lambda: states, lambda got: grpc.ChannelConnectivity.READY in got)
            started = time.monotonic()
            until(lambda: states, lambda got: got[-1] is grpc.ChannelConnectivity.IDLE)
        assert time.monotonic() - started < PATIENCE / 4
