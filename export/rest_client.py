"""Requests to a model over TF Serving's REST interface; needs only the standard library."""

from __future__ import annotations

import functools
import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from train.support.errors import UserError

__all__ = ["RestClient", "Signature", "Version"]

_MOST_ROWS = 64  # Of a request: a server has a limit, and a time limit too.
_TIMEOUT = 60.0  # Longer than a server's own [s].
_URL = re.compile(r"https?://[^\s/?#]+/v1/models/[\w.%~-]+(/[\w.%~-]+)*", re.ASCII)
_ADVICE = {
    404: "is the name of the model right?",
    429: "the server is busy: try again",
    503: "the server is not ready: try again",
    504: "it took too long: ask for less at a time, or try again",
}

Read = TypeVar("Read")


class Signature(NamedTuple):
    """What a signature takes and returns: types by name, as in TF Serving's metadata."""

    inputs: dict[str, str]
    outputs: dict[str, str]


class Version(NamedTuple):
    """The state of a version, such as AVAILABLE, and what is wrong with it, if anything."""

    number: str
    state: str
    message: str


class RestClient:
    """A model on a server.

    Args:
      url: `http://HOST:PORT/v1/models/NAME`, optionally with `/versions/N`.

    Raises:
      UserError: This is not such a URL.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        if not _is_model(self.url):
            raise UserError(
                f"--url expects http://HOST:PORT/v1/models/NAME, as the server prints it; got "
                f"{url!r}"
            )

    def predict(
        self, signature_name: str, instances: Sequence[dict[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        """Yields the response to each row: its outputs by name. A request has at most 64 rows.

        Raises:
          UserError: The server returns an error; the message says why.
        """
        for start in range(0, len(instances), _MOST_ROWS):
            block = instances[start : start + _MOST_ROWS]
            body = json.dumps({"signature_name": signature_name, "instances": block})
            rows = self._ask(f"{self.url}:predict", body.encode()).get("predictions")
            if not isinstance(rows, list) or len(rows) != len(block):
                raise UserError(
                    f"{self.url} returned no predictions; is it a model of this project?"
                )
            yield from rows

    def status(self) -> list[Version]:
        """Returns the state of each version.

        Raises:
          UserError: The server returns an error, or is no model server.
        """
        return self._read(self.url, _versions_of)

    def signatures(self) -> dict[str, Signature]:
        """Returns the signatures by name.

        Raises:
          UserError: The server returns an error, or is no model server.
        """
        return self._read(f"{self.url}/metadata", _signatures_of)

    @functools.cached_property
    def max_length(self) -> int | None:
        """The length of the model's longest sequence, or None if the model does not say."""
        if "describe" not in self.signatures():
            return None
        (row,) = self.predict("describe", [{"row": 0}])
        value = row.get("max_length") if isinstance(row, dict) else None
        return value if isinstance(value, int) else None

    def _read(self, url: str, read: Callable[[dict[str, Any]], Read]) -> Read:
        """Returns what `read` makes of the JSON object that a URL responds with."""
        answer = self._ask(url)
        try:
            return read(answer)
        except (AttributeError, LookupError, TypeError):
            raise UserError(f"{url} did not answer as TF Serving; is it a model server?") from None

    def _ask(self, url: str, body: bytes | None = None) -> dict[str, Any]:
        """Returns the JSON object that a URL responds with.

        Raises:
          UserError: There is no such response.
        """
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        try:
            status, text = _answer_to(request)
        except http.client.IncompleteRead:
            raise UserError(f"{url}: the answer broke off; try again") from None
        except http.client.HTTPException:
            raise UserError(
                f"{url} did not answer in HTTP: expected the REST port of the server, not that of "
                "gRPC"
            ) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise UserError(f"cannot reach {url}: {reason}; is the server running?") from None
        if status >= 300:
            advice = _ADVICE.get(status)
            reason = _error_of(text) + (f"; {advice}" if advice else "")
            raise UserError(f"{url} answered {status}: {reason}")
        try:
            answer = json.loads(text)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise UserError(f"{url} did not answer with JSON; is it a model server?")
        return answer


def _is_model(url: str) -> bool:
    """Whether this can be the URL of a model or of one of its versions."""
    try:
        port = urlsplit(url).port
    except ValueError:
        return False
    return port != 0 and _URL.fullmatch(url) is not None


def _answer_to(request: urllib.request.Request) -> tuple[int, bytes]:
    """Returns status and body, also of a refusal."""
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def _versions_of(answer: dict[str, Any]) -> list[Version]:
    return [
        Version(found["version"], found["state"], found.get("status", {}).get("error_message", ""))
        for found in answer["model_version_status"]
    ]


def _signatures_of(answer: dict[str, Any]) -> dict[str, Signature]:
    def types(infos: dict[str, Any]) -> dict[str, str]:
        return {name: info["dtype"] for name, info in infos.items()}

    found = answer["metadata"]["signature_def"]["signature_def"]
    return {
        name: Signature(types(of.get("inputs", {})), types(of.get("outputs", {})))
        for name, of in found.items()
    }


def _error_of(body: bytes) -> str:
    """Returns the server's description of an error."""
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return body[:200].decode("utf-8", "replace")
