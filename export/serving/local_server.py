"""Serves a model over REST and gRPC, on two ports."""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import math
import socket
import threading
from collections.abc import Collection, Coroutine
from typing import Any, TextIO, TypeVar
from urllib.parse import quote

import grpc
import uvicorn

from export.serving.connections import Connections
from export.serving.limits import DEFAULT_LIMITS, Limits, max_open_files
from export.serving.listening import listen
from export.serving.metrics import Metrics
from export.serving.recorder import Recorded, RecordedApp, Recorder
from export.serving.request_log import RequestLog
from export.serving.rest.api import RestApi
from export.serving.rest.cors import CorsApp
from export.serving.rest.http_protocol import Guard, GuardedProtocol
from export.serving.rpc.api import RpcApi, rpc_options
from export.serving.servable import Servable
from export.serving.workers import Workers
from train.support.errors import UserError

__all__ = ["LocalServer", "is_loopback"]

_GRACE = 5  # Time for running requests to finish when the server stops [s].
# How many more connections or calls a client may have than there are requests at work, so that
# one of them is always waiting and can be closed.
_MORE = 32

Result = TypeVar("Result")


class LocalServer:
    """Serves a model over REST and gRPC, from a background thread.

    Args:
      servable: The model; `stop` closes it.
      host: Address to listen at.
      rest_port: Port of REST; 0 for any free port.
      grpc_port: Port of gRPC; 0 for any free port.
      limits: What requests may take.
      cors_origins: Origins whose pages may send requests over REST.
      log: Gets a line for each request; None for no log.

    Raises:
      UserError: A port is in use, or the host is not an address of this machine.
    """

    def __init__(
        self,
        servable: Servable,
        host: str = "127.0.0.1",
        rest_port: int = 0,
        grpc_port: int = 0,
        limits: Limits = DEFAULT_LIMITS,
        cors_origins: Collection[str] = (),
        log: TextIO | None = None,
    ) -> None:
        self._servable = servable
        self._workers = Workers(limits.max_requests, limits.timeout)
        self._socket = listen(host, rest_port)
        # Accepted connections inherit it; asyncio does not set it on a socket made like this, and
        # an answer of two packets would wait 40 ms for the acknowledgement of the first.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest_port = self._socket.getsockname()[1]
        self._log = None if log is None else RequestLog(log)
        metrics = Metrics(self._workers)
        recorder = Recorder(metrics, self._log)
        rest = RestApi(servable, self._workers, metrics.text, limits)
        most = 16 * limits.max_requests + 64
        most_of_one = limits.max_requests + _MORE
        guard = Guard(
            Connections(most, most_of_one),
            limits.idle_timeout,
            lambda status, client: recorder.note(
                Recorded("REST", "-", client, status=str(status)), 0
            ),
        )
        app = CorsApp(rest, cors_origins) if cors_origins else rest
        config = uvicorn.Config(
            RecordedApp(app, recorder),
            http=functools.partial(GuardedProtocol, guard),
            ws="none",
            lifespan="off",
            log_level="error",
            access_log=False,
            server_header=False,
            timeout_keep_alive=math.ceil(2 * limits.idle_timeout),  # Longer than that of the guard.
            timeout_graceful_shutdown=2 * _GRACE,
        )
        self._rest = uvicorn.Server(config)
        self._serving: asyncio.Task[None] | None = None
        under_way = Connections(most, most_of_one)
        rpc = RpcApi(servable, self._workers, recorder, limits, under_way)
        options = rpc_options(limits, max_open_files() - most)
        # gRPC and uvicorn run in the same event loop, so their shared state needs no locks.
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="server", daemon=True)
        self._thread.start()
        try:
            self.grpc_port = self._do(self._bind(f"{_in_url(host)}:{grpc_port}", options, rpc))
        except RuntimeError:
            self._end()
            raise UserError(
                f"cannot listen on {host}, port {grpc_port}: the port is in use, or the address is "
                "not one of this machine; choose another --host or --grpc-port"
            ) from None
        name = quote(servable.name, safe="")
        self.page_url = f"http://{_in_url(host)}:{self.rest_port}/"
        self.rest_url = f"{self.page_url}v1/models/{name}"
        self.grpc_target = f"{_in_url(host)}:{self.grpc_port}"

    def start(self) -> None:
        """Starts to answer requests."""
        self._do(self._start())

    def stop(self) -> None:
        """Waits a few seconds for running requests, cancels the rest, and stops."""
        self._do(self._stop())
        self._end()

    async def _bind(self, target: str, options: list[tuple[str, int]], rpc: RpcApi) -> int:
        self._grpc = grpc.aio.server(options=options)
        self._health = rpc.add_to(self._grpc)
        return self._grpc.add_insecure_port(target)

    async def _start(self) -> None:
        await self._grpc.start()
        self._serving = asyncio.create_task(self._rest.serve([self._socket]))

    async def _stop(self) -> None:
        await self._health.enter_graceful_shutdown()
        self._rest.should_exit = True
        ended = [asyncio.create_task(self._grpc.stop(2 * _GRACE))]
        if self._serving is not None:
            ended.append(self._serving)
        await asyncio.wait(ended, timeout=_GRACE)
        # Requests that are still at work end with UNAVAILABLE.
        await asyncio.to_thread(self._servable.close)
        await asyncio.wait(ended)

    def _do(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Runs a coroutine in the event loop, and waits for its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end(self) -> None:
        """Frees everything except the model."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._workers.close()
        self._socket.close()
        if self._log is not None:
            self._log.close()


def is_loopback(host: str) -> bool:
    """Returns whether a host can be reached only from this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
