"""A connection that is closed so that its client still gets what was said last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

__all__ = ["LingeringTransport"]


class LingeringTransport:
    """A transport whose `close` ends the sending alone; everything else is that of the transport.

    To close a connection while its client still sends resets it, and the client may lose the
    refusal that it was closed with: a body that is too long would end in "broken pipe". The
    protocol passes over what still comes, and aborts when the client closes or takes too long.

    Args:
      transport: That of a connection.
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
