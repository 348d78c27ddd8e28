"""Both interfaces of one model, on two ports."""

from __future__ import annotations

import ipaddress
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import grpc
import uvicorn

from export.serving.gate import Gate
from export.serving.rest import RestApi
from export.serving.rpc import add_services
from export.serving.servable import Servable
from train.support.errors import UserError

__all__ = ["LocalServer", "is_loopback"]

_MORE_THREADS = 8  # Than places, for calls that are turned away or ask for the state.
_GRACE = 5  # For requests that are at work when the server stops [s].


class LocalServer:
    """Serves a model over REST and gRPC, from background threads.

    Args:
      servable: The model; `stop` closes it.
      host: Address to listen at.
      rest_port: Port of REST; 0 for any that is free.
      grpc_port: Port of gRPC; 0 for any that is free.
      max_requests: Bound on the requests at work, of both together.
      max_body_bytes: Longest body, and largest message.
      timeout: For a REST request [s]; a gRPC call brings its own deadline.

    Raises:
      UserError: If a port is taken, or the host is not this machine's.
    """

    def __init__(
        self,
        servable: Servable,
        host: str = "127.0.0.1",
        rest_port: int = 0,
        grpc_port: int = 0,
        max_requests: int = 32,
        max_body_bytes: int = 4 * 2**20,
        timeout: float = 30.0,
    ) -> None:
        gate = Gate(max_requests)
        self._socket = _listen(host, rest_port)
        self.rest_port = self._socket.getsockname()[1]
        self._servable = servable
        self._api = RestApi(servable, gate, max_body_bytes, timeout)
        config = uvicorn.Config(
            self._api,
            http="h11",
            ws="none",
            lifespan="off",
            log_level="error",
            access_log=False,
            server_header=False,
            limit_concurrency=16 * max_requests + 64,  # Connections, idle ones too.
            timeout_graceful_shutdown=2 * _GRACE,
        )
        self._rest = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._rest.run, args=([self._socket],), name="rest", daemon=True
        )
        self._grpc = grpc.server(
            ThreadPoolExecutor(max_requests + _MORE_THREADS, "grpc"),
            options=[
                ("grpc.max_receive_message_length", max_body_bytes),
                ("grpc.so_reuseport", 0),  # A port that is taken is an error.
            ],
        )
        self._health = add_services(self._grpc, servable, gate, max_body_bytes)
        try:
            self.grpc_port = self._grpc.add_insecure_port(f"{_in_url(host)}:{grpc_port}")
        except RuntimeError:
            self._socket.close()
            raise UserError(
                f"cannot listen at {host}, port {grpc_port}: it is taken, or not this machine's; "
                "name another --grpc-port"
            ) from None
        name = quote(servable.name, safe="")
        self.rest_url = f"http://{_in_url(host)}:{self.rest_port}/v1/models/{name}"
        self.grpc_target = f"{_in_url(host)}:{self.grpc_port}"

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()
        self._grpc.start()

    def stop(self) -> None:
        """Waits a few seconds for what is at work, cuts it short after that, and ends."""
        self._health.enter_graceful_shutdown()
        self._rest.should_exit = True
        ended = self._grpc.stop(2 * _GRACE)
        self._thread.join(_GRACE)
        ended.wait(0 if self._thread.is_alive() else _GRACE)
        self._servable.close()  # Requests that are still at work end with UNAVAILABLE.
        ended.wait()
        self._thread.join()
        self._api.close()
        self._socket.close()


def is_loopback(host: str) -> bool:
    """Returns whether nobody outside of this machine reaches a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host: str, port: int) -> socket.socket:
    """Returns a socket that listens."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        raise UserError(
            f"cannot listen at {host}, port {port}: {error}; name another --host or --rest-port"
        ) from None
    # Accepted connections inherit it; asyncio does not set it on a socket made like this, and an
    # answer of two packets would wait 40 ms for the acknowledgement of the first.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
