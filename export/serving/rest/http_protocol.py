"""Time limits for slow HTTP clients: the only file that uses private parts of uvicorn.

uvicorn has a time limit only between two requests on a connection. Here there is also one until
the first request, one for the head of each request, and one for the client to read the answer.
`export.serving.rest.api` has the limit for the body. `tests/export/serving/test_slow_clients.py`
fails if a new version of uvicorn changes the private parts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import h11
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from export.serving.connections import Connections
from export.serving.rest.json_outputs import error_of
from export.serving.rest.lingering import LingeringTransport

__all__ = ["Guard", "GuardedProtocol"]


class Guard(NamedTuple):
    """The state that all connections share.

    Attributes:
      connections: The open connections.
      seconds: Time limit for the head of a request, and for the client to read on.
      refused: Called with the status and the client when input is refused before it is a request.
    """

    connections: Connections
    seconds: float
    refused: Callable[[int, str], None]


class GuardedProtocol(H11Protocol):
    """A connection; `uvicorn.Config(http=functools.partial(GuardedProtocol, guard))`."""

    def __init__(self, guard: Guard, **options: Any) -> None:
        super().__init__(**options)
        self._guard = guard
        self._timer: asyncio.TimerHandle | None = None
        self._unread = 0  # Unread bytes of answers when the time limit started.
        self._lingers = False
        self.client_address = ""
        self.since = self.loop.time()

    @property
    def is_at_work(self) -> bool:
        cycle = self.cycle
        return self._has_request and not (cycle.more_body or self.flow.write_paused)

    def drop(self) -> None:
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(LingeringTransport(transport, self._linger))
        self.client_address = self.client[0] if self.client else ""
        if self._guard.connections.add(self):
            self._watch()
        else:
            self.drop()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        self._guard.connections.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._lingers:
            super().data_received(data)
            self._unwatch_request()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._wait()
        self._unwatch_request()

    def on_response_complete(self) -> None:
        if not self.flow.write_paused:
            self._wait()
        super().on_response_complete()  # May start the next request, if it has arrived.
        self._unwatch_request()

    def shutdown(self) -> None:
        super().shutdown()
        # What closes lingers, and a body that still comes would hold up the end.
        if not (self.is_at_work or self.transport.get_write_buffer_size()):
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, msg)

    @property
    def _has_request(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, status: int, message: str) -> None:
        """Answers invalid input, and closes the connection."""
        body = error_of(message)
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        answer = [
            h11.Response(
                status_code=status, headers=list(headers.items()), reason=STATUS_PHRASES[status]
            ),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ]
        try:
            for event in answer:
                self.transport.write(self.conn.send(event))
        except h11.LocalProtocolError:  # Another answer has started, so none can be sent.
            self.transport.abort()
            return
        if self._has_request:  # Reading its body then reports that the client is gone.
            self.scope["state"]["status"] = status
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        else:
            self._guard.refused(status, self.client_address)
        self.transport.close()

    def _linger(self) -> None:
        self._lingers = True
        self._watch()

    def _wait(self) -> None:
        """Starts to wait for the client."""
        self.since = self.loop.time()
        self._watch()

    def _unwatch_request(self) -> None:
        """Hands a request to the application, which has its own time limits."""
        if self._has_request and not self.flow.write_paused:
            self._unwatch()

    def _watch(self) -> None:
        """Starts the time limit of the client."""
        self._unwatch()
        self._unread = self.transport.get_write_buffer_size()
        self._timer = self.loop.call_later(self._guard.seconds, self._look)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """Closes the connection if the client has done nothing."""
        unread = self.transport.get_write_buffer_size()
        if 0 < unread < self._unread:
            self._watch()  # The client reads, but slowly.
        elif unread or self._lingers or not self.conn.trailing_data[0]:
            self.transport.abort()
        else:
            self._refuse(408, "The head of the request did not arrive in time")
