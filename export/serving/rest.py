"""The REST interface: `POST /v1/models/NAME:predict`, `GET /v1/models/NAME` and its `/metadata`.

The routes are those of TF Serving (`model_servers/http_rest_api_util.cc`): whatever else is under
`/v1/` is malformed, 400, and all the rest does not exist, 404.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import tensorflow as tf
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from export.serving.gate import Gate
from export.serving.json_inputs import arrays_of, parse_body, signature_name_of
from export.serving.json_outputs import answer_of, error_of
from export.serving.protos import metadata_json, metadata_of, status_json, status_of
from export.serving.servable import DEFAULT_SIGNATURE, Servable
from export.serving.status import HTTP_STATUS, invalid, message_of

__all__ = ["RestApi"]

_VERSION = r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_PREDICT = re.compile(
    rf"/v1/models/(?P<name>[^/:]+){_VERSION}:(?P<method>classify|regress|predict)", re.IGNORECASE
)
_STATUS = re.compile(
    rf"/v1/models(?:/(?P<name>[^/:]+))?{_VERSION}(?P<rest>/metadata)?", re.IGNORECASE
)
_NOTHING = re.compile(r"(?!)")
_CLOSE = {"Connection": "close"}  # What is left of the body would be read as the next request.

_log = logging.getLogger(__name__)


class _TooLargeError(Exception):
    """A body is longer than the server reads."""


class RestApi:
    """An ASGI application.

    Args:
      servable: The model.
      gate: Bound on the requests at work.
      max_body_bytes: Longest body that is read.
      timeout: For the body to arrive, and for a request to be answered after that [s].
    """

    def __init__(self, servable: Servable, gate: Gate, max_body_bytes: int, timeout: float) -> None:
        self._servable = servable
        self._gate = gate
        self._max_body_bytes = max_body_bytes
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(gate.limit, "rest")

    def close(self) -> None:
        """Gives the threads back, once there is nothing more to do."""
        self._threads.shutdown(wait=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._respond(Request(scope, receive))
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        """Returns the answer, whatever happens on the way to it."""
        path = request.scope["raw_path"].decode("latin-1")
        if not path.lower().startswith("/v1/"):
            return _json(404, error_of("Not Found"))
        try:
            async with asyncio.timeout(self._timeout):
                body = await self._body(request)
            return _json(200, await self._answer(request.method, path, body))
        except _TooLargeError:
            return _json(413, error_of(f"The body is over {self._max_body_bytes} bytes"), _CLOSE)
        except TimeoutError:
            return _json(408, error_of("The body did not arrive in time"), _CLOSE)
        except tf.errors.OpError as error:
            return _json(HTTP_STATUS.get(error.error_code, 500), error_of(message_of(error)))
        except ClientDisconnect:
            raise
        except Exception:
            _log.exception("%s %s", request.method, path)
            return _json(500, error_of("Internal error; the server's log has more"))

    async def _body(self, request: Request) -> bytes:
        """Reads the body, and no more of it than is allowed."""
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self._max_body_bytes:
            raise _TooLargeError
        parts = []
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > self._max_body_bytes:
                raise _TooLargeError
            parts.append(part)
        return b"".join(parts)

    async def _answer(self, method: str, path: str, body: bytes) -> bytes:
        """Returns the body of the answer.

        Raises:
          tf.errors.OpError: If the request has none.
        """
        match = {"POST": _PREDICT, "GET": _STATUS}.get(method, _NOTHING).fullmatch(path)
        if match is None:
            raise invalid(f"Malformed request: {method} {path}")
        if not match["name"]:
            raise invalid("Missing model name in request.")
        name, label = unquote(match["name"]), unquote(match["label"] or "")
        version = None
        if match["version"]:
            if len(match["version"]) > 19 or int(match["version"]) >= 2**63:
                raise invalid(f"Failed to convert version: {match['version'][:40]} to numeric.")
            version = int(match["version"])
        if method == "GET":
            if match["rest"] == "/metadata":
                self._servable.check(name, version, label)
                return metadata_json(metadata_of(self._servable))
            return status_json(status_of(self._servable, name, version, label))
        if match["method"] != "predict":
            raise invalid(f"Malformed request: {method} {path}: only predict is served here")
        deadline = time.monotonic() + self._timeout
        return await self._at_work(lambda: self._predict(name, version, label, body, deadline))

    async def _at_work(self, work: Callable[[], bytes]) -> bytes:
        """Runs `work` in a thread, if there is a place."""
        with self._gate.admit():
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _predict(
        self, name: str, version: int | None, label: str, body: bytes, deadline: float
    ) -> bytes:
        """Returns the answer to a body; the checks come in the order of TF Serving's."""
        document = parse_body(body)
        signature_name = signature_name_of(document) or DEFAULT_SIGNATURE
        self._servable.check(name, version, label)
        signature = self._servable.signatures.get(signature_name)
        if signature is None:
            raise invalid(f'Serving signature name: "{signature_name}" not found in signature def')
        by_row, inputs = arrays_of(document, signature.inputs)
        outputs = self._servable.predict(signature_name, inputs, deadline - time.monotonic())
        return answer_of(outputs, by_row)


def _json(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    return Response(body, status, headers, media_type="application/json")
