"""Clients that leave before their answer: their places are free, and their work is not begun."""

from __future__ import annotations

import socket
from pathlib import Path

import grpc

from export.serving.local_server import LocalServer
from tests.export.serving.asked import SLOW, Held, connect, half, numbers_of, slow, whole
from tests.local_servers import http_of, running, stub_of, until
from tests.served import PATIENCE
from tests.served_model import HALF


def _over_rest(server: LocalServer) -> socket.socket:
    connection = connect(server)
    connection.sendall(whole(SLOW))
    return connection


def test_a_client_of_rest_that_leaves_gives_its_place_back(model: Path, held: Held) -> None:
    with running(model, timeout=PATIENCE, max_requests=1) as server, http_of(server) as http:
        connection = _over_rest(server)
        until(lambda: held.begun, lambda begun: begun == 1)
        assert http.predict(HALF).status == 429
        connection.close()
        until(lambda: http.predict(HALF), lambda answer: answer.status == 200)
        assert not held.go_on.is_set()
        # It is still in its thread, and is counted there.
        assert numbers_of(http)["latentflow_requests_in_flight"] == 1
        held.go_on.set()
        until(lambda: numbers_of(http)["latentflow_requests_in_flight"], lambda now: now == 0)
        gone = 'latentflow_requests_total{protocol="REST",signature="slow",status="499"}'
        assert numbers_of(http)[gone] == 1


def test_a_client_of_grpc_that_leaves_gives_its_place_back(model: Path, held: Held) -> None:
    with running(model, timeout=PATIENCE, max_requests=1) as server, stub_of(server) as stub:
        call = stub.Predict.future(slow(), timeout=PATIENCE)
        until(lambda: held.begun, lambda begun: begun == 1)
        assert stub.Predict.future(half()).code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        call.cancel()
        ok = grpc.StatusCode.OK
        until(lambda: stub.Predict.future(half()).code(), lambda code: code == ok)
        assert not held.go_on.is_set()


def test_what_queues_for_a_client_that_left_is_not_begun(model: Path, held: Held) -> None:
    with (
        running(model, timeout=PATIENCE, max_requests=1) as server,
        stub_of(server) as stub,
        http_of(server) as http,
    ):
        for begun in (1, 2):  # The threads, which a session does not give back.
            connection = _over_rest(server)
            until(lambda: held.begun, lambda now, begun=begun: now == begun)
            connection.close()
            until(lambda: server._workers._clients, lambda clients: clients == 0)

        def queued(num: int) -> None:
            until(lambda: numbers_of(http)["latentflow_requests_queued"], lambda now: now == num)

        connection = _over_rest(server)
        queued(1)
        connection.close()
        queued(0)
        call = stub.Predict.future(slow())
        queued(1)
        call.cancel()
        queued(0)
        held.go_on.set()
        until(lambda: http.predict(HALF), lambda answer: answer.status == 200)
        assert held.begun == 2


def test_what_queues_too_long_is_told_so(model: Path, held: Held) -> None:
    with running(model, timeout=0.5, max_requests=1) as server, http_of(server) as http:
        for begun in (1, 2):
            assert http.predict(SLOW).status == 504
            until(lambda: held.begun, lambda now, begun=begun: now == begun)
        answer = http.predict(HALF)
        assert answer.status == 504 and list(answer.json()) == ["error"]
