"""Lets pages of other origins send requests to this server (CORS)."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

__all__ = ["CorsApp"]

_DAY = 86_400  # How long a browser may keep the answer [s].


class CorsApp(CORSMiddleware):
    """An ASGI application that accepts requests from pages of some origins; refusals are JSON.

    Args:
      app: The application.
      origins: Origins such as `https://example.org`, with a port if there is one, or `*` for all.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=[origin.lower() for origin in origins],  # As browsers write them.
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=["*"],
            expose_headers=["Retry-After", "X-Request-Id"],
            max_age=_DAY,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        refusal = JSONResponse({"error": bytes(response.body).decode()}, response.status_code)
        refusal.headers["Vary"] = response.headers["Vary"]
        return refusal
