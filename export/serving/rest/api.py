"""The REST interface: `POST /v1/models/NAME:predict`, `GET /v1/models/NAME` and its `/metadata`.

`/` is a page for a browser and `/metrics` is for Prometheus; nothing else than TF Serving's routes
exists beside them, 404.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import quote

import tensorflow as tf
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from export.page.document import page_for
from export.serving.limits import Limits
from export.serving.metrics import METRICS_TYPE
from export.serving.protos import metadata_json, metadata_of, status_json, status_of
from export.serving.rest.json_inputs import arrays_of, parse_body, signature_name_of
from export.serving.rest.json_outputs import answer_of, error_of
from export.serving.rest.routes import Route, route_of
from export.serving.servable import DEFAULT_SIGNATURE, Servable
from export.serving.status import HTTP_STATUS, invalid, message_of
from export.serving.workers import Workers

__all__ = ["RestApi"]

_CLOSE = {"Connection": "close"}  # What is left of the body would be read as the next request.
_RETRY = {"Retry-After": "1"}  # [s]
_TRY_AGAIN = frozenset({429, 503, 504})
_PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_ORIGIN = re.compile("^https?://[^/]*", re.IGNORECASE)  # In the request of a proxy.

_log = logging.getLogger(__name__)


class _TooLargeError(Exception):
    """A body exceeds the limit."""


class RestApi:
    """An ASGI application.

    Args:
      servable: The model.
      workers: Run the requests.
      metrics_text: Returns the answer to `/metrics`.
      limits: What requests may take.
    """

    def __init__(
        self,
        servable: Servable,
        workers: Workers,
        metrics_text: Callable[[], bytes],
        limits: Limits,
    ) -> None:
        self._servable = servable
        self._workers = workers
        self._metrics_text = metrics_text
        self._limits = limits
        self._page = page_for(f"v1/models/{quote(servable.name, safe='')}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._respond(Request(scope, receive))
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        """Returns the answer, which may be an error."""
        method, target = request.method, request.scope["raw_path"].decode("latin-1")
        path = _ORIGIN.sub("", target)
        if path == "/metrics" and method in ("GET", "HEAD"):
            return Response(self._metrics_text(), headers={"Content-Type": METRICS_TYPE})
        if path == "/" and method in ("GET", "HEAD"):
            headers = {**_PAGE_HEADERS, "Content-Security-Policy": self._page.policy}
            return HTMLResponse(self._page.html, headers=headers)
        if not path.lower().startswith("/v1/"):
            return _refusal(404, "Not Found")
        try:
            async with asyncio.timeout(self._limits.timeout):
                body = await self._body(request)
            return _json(200, await self._answer(route_of(method, path), request, body))
        except _TooLargeError:
            return _refusal(413, f"The body is over {self._limits.max_body_bytes} bytes", _CLOSE)
        except TimeoutError:
            return _refusal(408, "The body did not arrive in time", _CLOSE)
        except tf.errors.OpError as error:
            return _refusal(HTTP_STATUS.get(error.error_code, 500), message_of(error))
        except asyncio.CancelledError:  # Cancelled by uvicorn, whose answer would not be JSON.
            return _refusal(503, "The server is stopping", _CLOSE)
        except ClientDisconnect:
            raise
        except Exception:
            _log.exception("%s %s", method, path)
            return _refusal(500, "Internal error; the server's log has more")

    async def _body(self, request: Request) -> bytes:
        """Reads the body, up to the maximum size."""
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self._limits.max_body_bytes:
            raise _TooLargeError
        parts = []
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > self._limits.max_body_bytes:
                raise _TooLargeError
            parts.append(part)
        return b"".join(parts)

    async def _answer(self, route: Route, request: Request, body: bytes) -> bytes:
        """Returns the body of the answer."""
        which = (route.name, route.version, route.label)
        if route.kind == "metadata":
            self._servable.check(*which)
            return metadata_json(metadata_of(self._servable))
        if route.kind == "status":
            return status_json(status_of(self._servable, *which))
        timeout, state = self._limits.timeout, request.scope["state"]
        deadline = time.monotonic() + timeout
        work = self._workers.run(lambda: self._predict(route, body, deadline, state), timeout)
        return await _while_there(request, work)

    def _predict(self, route: Route, body: bytes, deadline: float, state: dict[str, Any]) -> bytes:
        """Returns the answer to a body. The order of the checks is that of TF Serving."""
        document = parse_body(body)
        signature_name = signature_name_of(document) or DEFAULT_SIGNATURE
        self._servable.check(route.name, route.version, route.label)
        signature = self._servable.signatures.get(signature_name)
        if signature is None:
            raise invalid(f'Serving signature name: "{signature_name}" not found in signature def')
        state["signature"] = signature_name
        by_row, inputs = arrays_of(document, signature.inputs, self._limits.max_rows)
        outputs = self._servable.predict(signature_name, inputs, deadline - time.monotonic())
        return answer_of(outputs, by_row)


async def _while_there(request: Request, work: Coroutine[Any, Any, bytes]) -> bytes:
    """Returns the result of `work`, or cancels it and raises if the client disconnects."""
    at_work = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_until_gone(request.receive))
    try:
        await asyncio.wait({at_work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not at_work.done():
            raise ClientDisconnect
        return at_work.result()
    finally:
        at_work.cancel()
        gone.cancel()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    headers = {**(headers or {}), **(_RETRY if status in _TRY_AGAIN else {})}
    return _json(status, error_of(message), headers)


def _json(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    return Response(body, status, headers, media_type="application/json")
