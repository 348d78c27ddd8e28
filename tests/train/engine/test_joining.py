"""How the processes of a run connect, here as threads, and what is refused."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.worker_processes import free_addresses
from train.engine.workers import joining
from train.engine.workers.cluster import Cluster
from train.engine.workers.joining import join
from train.engine.workers.link import LOST_SECONDS, Link
from train.support.errors import UserError

SECONDS = 30  # A busy machine is no failure.


def test_strangers_and_wrong_numbers_do_not_join(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "_HELLO_SECONDS", 0.3)
    addresses = free_addresses(2)
    port = int(addresses[0].rpartition(":")[2]) + 1
    with ThreadPoolExecutor(1) as pool:
        chief = pool.submit(join, Cluster(addresses, 0), print, lambda what: None)
        bodies = [b"{}", b"[1]", b"{", json.dumps({"workers": addresses, "index": 9}).encode()]
        messages = [b"h" + len(body).to_bytes(8, "big") + body for body in bodies]
        for greeting in (b"", b"GET / HTTP/1.1\r\n\r\n", b"h" + bytes([255] * 8), b"h", *messages):
            with _connected(port) as stranger:
                stranger.sendall(greeting)
        with pytest.raises(
            UserError, match="refuses this process: expected the workers of the chief, 127"
        ):
            join(Cluster((addresses[0], "127.0.0.1:1"), 1), print, lambda what: None)
        with pytest.raises(UserError, match="refuses this process: expected the workers of the"):
            # A number that the chief does not have.
            join(Cluster((*addresses, "127.0.0.1:1"), 2), print, lambda what: None)
        worker = join(Cluster(addresses, 1), print, lambda what: None)
        teams = chief.result(SECONDS), worker
    for team in teams:
        team.__exit__(SystemExit, SystemExit(), None)


def test_two_of_one_number_do_not_join() -> None:
    addresses = free_addresses(3)
    with ThreadPoolExecutor(2) as pool:
        joined = [
            pool.submit(join, Cluster(addresses, index), print, lambda what: None)
            for index in (0, 1)
        ]
        joined[1].result(SECONDS)
        with pytest.raises(UserError, match=r"worker 1 .* has already joined: give every process"):
            join(Cluster(addresses, 1), print, lambda what: None)
        teams = [join(Cluster(addresses, 2), print, lambda what: None)]
        teams += [each.result(SECONDS) for each in joined]
    for team in teams:
        team.__exit__(SystemExit, SystemExit(), None)


def _connected(port: int) -> socket.socket:
    for _ in range(100):
        with contextlib.suppress(ConnectionError):
            return socket.create_connection(("127.0.0.1", port))
        threading.Event().wait(0.05)
    raise ConnectionError(port)


@pytest.mark.parametrize(("index", "says"), [(0, "worker 1"), (1, "cannot reach the chief")])
def test_waiting_has_an_end(index: int, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "WAIT_SECONDS", 0.3)
    addresses = free_addresses(2)
    with pytest.raises(UserError, match=f"{says}.* within 0.3 sec.*: start the same command"):
        join(Cluster(addresses, index), print, lambda what: None)


def test_a_port_in_use_is_refused() -> None:
    addresses = free_addresses(2)
    port = int(addresses[1].rpartition(":")[2])
    with (
        socket.create_server(("", port)),
        pytest.raises(UserError, match=f"cannot listen on port {port} .*Address already in use"),
    ):
        join(Cluster(addresses, 1), print, lambda what: None)


def test_the_system_asks_a_silent_machine_for_a_sign_of_life() -> None:
    with socket.socket() as plain:
        link = Link(plain)
        option = link._socket.getsockopt
        assert option(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        idle, interval, probes = (
            option(socket.IPPROTO_TCP, getattr(socket, f"TCP_KEEP{name}"))
            for name in ("IDLE", "INTVL", "CNT")
        )
    assert idle + interval * probes == LOST_SECONDS
