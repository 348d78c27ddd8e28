"""Records finished requests in the log and in the metrics."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from export.serving.metrics import Metrics
from export.serving.request_log import RequestLog

__all__ = ["REQUEST_ID", "Recorded", "RecordedApp", "Recorder", "request_id"]

REQUEST_ID = "x-request-id"  # Name of the HTTP header and of the gRPC metadata.
_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_LONGEST = 200  # Maximum length of a request's path in the log [characters].
_GONE = "499"  # TF Serving's status for CANCELLED: the client has left.


def request_id(given: str | None) -> str:
    """Returns the client's identifier of a request if it is valid, otherwise a new one."""
    return given if given and _ID.fullmatch(given) else secrets.token_hex(8)


@dataclass
class Recorded:
    """A request that is being answered.

    Attributes:
      protocol: `REST` or `gRPC`.
      what: Method and path, or the name of the call.
      client: Address of the client.
      id: The result of `request_id`.
      status: Status of the answer, once it is known.
      signature: Signature of the model, once it is known.
    """

    protocol: str
    what: str
    client: str
    id: str = field(default_factory=lambda: request_id(None))
    status: str = _GONE
    signature: str = ""


class Recorder:
    """Records requests.

    Args:
      metrics: Counts them.
      log: Gets a line for each; None for no log.
    """

    def __init__(self, metrics: Metrics, log: RequestLog | None) -> None:
        self._metrics = metrics
        self._log = log

    @contextmanager
    def record(self, recorded: Recorded) -> Iterator[None]:
        """Records a request when the block that answers it ends, with or without an error."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.note(recorded, time.monotonic() - started)

    def note(self, recorded: Recorded, seconds: float) -> None:
        """Records a request and its duration."""
        self._metrics.note(recorded.protocol, recorded.signature, recorded.status, seconds)
        if self._log is not None:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            what = ascii(recorded.what[:_LONGEST])[1:-1]  # A single line, whatever a client sends.
            self._log.write(
                f"{now} {recorded.protocol} {what} {recorded.signature or '-'} "
                f"{recorded.status} {1000 * seconds:.1f} ms id={recorded.id} "
                f"client={recorded.client}"
            )


class RecordedApp:
    """An ASGI application whose requests are recorded.

    The application sets "signature" in `scope["state"]`. "status" is set there if something else
    than the application has answered.

    Args:
      app: The application.
      recorder: Records the requests.
    """

    def __init__(self, app: ASGIApp, recorder: Recorder) -> None:
        self._app = app
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope.setdefault("state", {})
        recorded = Recorded(
            "REST",
            f"{scope['method']} {scope['raw_path'].decode('latin-1')}",
            scope["client"][0] if scope["client"] else "",
            request_id(Headers(scope=scope).get(REQUEST_ID)),
        )

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                recorded.status = str(message["status"])
                MutableHeaders(scope=message)[REQUEST_ID] = recorded.id
            await send(message)

        with self._recorder.record(recorded):
            try:
                await self._app(scope, receive, noted)
            finally:
                recorded.signature = state.get("signature", "")
                recorded.status = str(state.get("status", recorded.status))
