"""What the model of these tests is asked, connections to ask it on, and requests at work."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from typing import Any

import numpy as np
from tensorflow_serving.apis.predict_pb2 import PredictRequest

from export.serving.local_server import LocalServer
from tests.served import PATIENCE, Http, predict_request
from tests.served_model import FOREVER

SHORT = 0.5  # Longer than a good request takes to be sent, also on a machine that stalls [s].
HEAD = b"POST /v1/models/cases:predict HTTP/1.1\r\nHost: x\r\n"
SLOW = {"signature_name": "slow", "instances": [FOREVER]}


class Held:
    """Requests of `slow`, held before the session: how many have begun, and what lets them go."""

    def __init__(self) -> None:
        self.begun = 0
        self.go_on = threading.Event()


def numbers_of(http: Http) -> dict[str, float]:
    """The metrics of a server."""
    lines = http.ask("GET", "/metrics").body.decode().splitlines()
    named = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(number) for name, number in named}


def whole(document: Any, more: bytes = b"") -> bytes:
    """A request over REST, with more in its head."""
    body = json.dumps(document).encode()
    return HEAD + more + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def half() -> PredictRequest:
    """`HALF` over gRPC."""
    return predict_request("cases", "half", x=np.float32([1]))


def slow() -> PredictRequest:
    """`SLOW` over gRPC."""
    return predict_request("cases", "slow", steps=[FOREVER])


def connect(server: LocalServer, source: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """A connection to the port for REST, or another."""
    address = ("127.0.0.1", port or server.rest_port)
    return socket.create_connection(address, PATIENCE, source_address=(source, 0))


def rest_of(connection: socket.socket) -> bytes:
    """What still comes on a connection before the server closes it."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            received += piece
    return received
