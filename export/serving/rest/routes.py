"""The routes of TF Serving's REST interface.

They are those of `model_servers/http_rest_api_util.cc`. Any other path under `/v1/` is malformed
and refused with 400.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from export.serving.status import invalid

__all__ = ["Route", "route_of"]

_VERSION = r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_PREDICT = re.compile(
    rf"/v1/models/(?P<name>[^/:]+){_VERSION}:(?P<kind>classify|regress|predict)", re.IGNORECASE
)
_STATUS = re.compile(
    rf"/v1/models(?:/(?P<name>[^/:]+))?{_VERSION}(?P<kind>/metadata)?", re.IGNORECASE
)
_NOTHING = re.compile(r"(?!)")


class Route(NamedTuple):
    """A kind of request, and the model that it is for.

    Attributes:
      kind: `predict`, `metadata` or `status`.
      name: Name of the model.
      version: Its version, or None for the newest.
      label: Label of a version, or empty.
    """

    kind: str
    name: str
    version: int | None
    label: str


def route_of(method: str, path: str) -> Route:
    """Returns the route of a request.

    Args:
      method: The HTTP method; `HEAD` is treated like `GET`.
      path: The path without a query, not decoded.

    Raises:
      tf.errors.InvalidArgumentError: TF Serving has no such route, or this server does not.
    """
    asked = {"POST": _PREDICT, "GET": _STATUS, "HEAD": _STATUS}.get(method, _NOTHING)
    match = asked.fullmatch(path)
    if match is None:
        raise invalid(f"Malformed request: {method} {path}")
    if not match["name"]:
        raise invalid("Missing model name in request.")
    version = None
    if match["version"]:
        if len(match["version"]) > 19 or int(match["version"]) >= 2**63:
            raise invalid(f"Failed to convert version: {match['version'][:40]} to numeric.")
        version = int(match["version"])
    if asked is _PREDICT and match["kind"] != "predict":
        raise invalid(f"Malformed request: {method} {path}: only predict is served here")
    if asked is _PREDICT:
        kind = "predict"
    else:
        kind = "metadata" if match["kind"] == "/metadata" else "status"
    return Route(kind, unquote(match["name"]), version, unquote(match["label"] or ""))
