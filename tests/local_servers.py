"""Local servers that tests start, at ports that are free, and what they need to time them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import grpc
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from export.serving.limits import Limits
from export.serving.local_server import LocalServer
from export.serving.servable import load_newest
from tests.served import PATIENCE, Http

__all__ = ["http_of", "running", "send", "stub_of", "until"]

Got = TypeVar("Got")


@contextmanager
def running(base_path: Path, **options: Any) -> Iterator[LocalServer]:
    """A server of the newest version of a model; options are limits, or its own."""
    limits = {name: options.pop(name) for name in Limits._fields if name in options}
    server = LocalServer(load_newest(base_path), limits=Limits(**limits), **options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def stub_of(server: LocalServer) -> Iterator[PredictionServiceStub]:
    """What asks a server over gRPC, connected."""
    with grpc.insecure_channel(server.grpc_target) as channel:
        grpc.channel_ready_future(channel).result(PATIENCE)
        yield PredictionServiceStub(channel)


@contextmanager
def http_of(server: LocalServer) -> Iterator[Http]:
    """What asks a server over HTTP."""
    with closing(Http(server.rest_url)) as http:
        yield http


def until(ask: Callable[[], Got], holds: Callable[[Got], bool]) -> Got:
    """The first answer for which something holds."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        answer = ask()
        if holds(answer):
            return answer
        time.sleep(0.01)
    raise TimeoutError


def send(url: str, data: bytes, hang_up: bool = False) -> bytes:
    """What a server answers to bytes before it, or the client if it hangs up, closes."""
    parts = urlsplit(url)
    received = b""
    with socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE) as connection:
        try:
            connection.sendall(data)
            if hang_up:
                connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                received += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
    return received
