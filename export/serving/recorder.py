"""What is kept of a request once it is answered: a line in the log, and a count."""

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

REQUEST_ID = "x-request-id"  # A header, and gRPC's metadata.
_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_LONGEST = 200  # Of what is asked, in the log [characters].
_GONE = "499"  # What TF Serving calls CANCELLED: nobody was there to take the answer.


def request_id(given: str | None) -> str:
    """Returns the identifier that a client gave its request, if it is one, or a new one."""
    return given if given and _ID.fullmatch(given) else secrets.token_hex(8)


@dataclass
class Recorded:
    """A request on its way.

    Attributes:
      protocol: `REST` or `gRPC`.
      what: What is asked: method and path, or the name of the call.
      client: Its address.
      id: As `request_id` has it.
      status: Of the answer, once it is known.
      signature: One of the model's, once it is known.
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
      metrics: Where they are counted.
      log: Where they have a line, if anywhere.
    """

    def __init__(self, metrics: Metrics, log: RequestLog | None) -> None:
        self._metrics = metrics
        self._log = log

    @contextmanager
    def record(self, recorded: Recorded) -> Iterator[None]:
        """Records a request when the block that answers it ends, however it does."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.note(recorded, time.monotonic() - started)

    def note(self, recorded: Recorded, seconds: float) -> None:
        """Records a request that took so long."""
        self._metrics.note(recorded.protocol, recorded.signature, recorded.status, seconds)
        if self._log is not None:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            what = ascii(recorded.what[:_LONGEST])[1:-1]  # One line, whatever a client sends.
            self._log.write(
                f"{now} {recorded.protocol} {what} {recorded.signature or '-'} "
                f"{recorded.status} {1000 * seconds:.1f} ms id={recorded.id} "
                f"client={recorded.client}"
            )


class RecordedApp:
    """An ASGI application whose requests are recorded.

    What it knows of a request stands in `scope["state"]`: "signature"; and "status" where another
    than the application answered.

    Args:
      app: The application.
      recorder: Where to.
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
