"""Closes a connection in such a way that the client still receives the last answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

__all__ = ["LingeringTransport"]


class LingeringTransport:
    """A transport whose `close` only ends the sending. Everything else is passed on.

    Closing a connection while the client is still sending resets it, and the client may lose the
    last answer: instead of the refusal of a long body it would get "broken pipe". The protocol
    ignores further input, and aborts when the client closes or takes too long.

    Args:
      transport: The transport of a connection.
      lingers: Called once, when the sending ends.
    """

    def __init__(self, transport: asyncio.Transport, lingers: Callable[[], None]) -> None:
        self._transport = transport
        self._lingers = lingers
        self._is_closing = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        return self._is_closing or self._transport.is_closing()

    def write(self, data: bytes) -> None:
        if not self._is_closing:
            self._transport.write(data)

    def close(self) -> None:
        if self.is_closing():
            return
        self._is_closing = True
        if not self._transport.can_write_eof():
            self._transport.close()
            return
        self._transport.write_eof()
        self._transport.resume_reading()
        self._lingers()
