"""A line for every request, written by a thread of its own."""

from __future__ import annotations

import queue
import threading
from typing import TextIO

__all__ = ["RequestLog"]

_MOST_WAITING = 10_000  # Lines.
_LAST_LINES = 1.0  # How long the end waits for them [s].


class RequestLog:
    """Writes lines to a stream, and never makes a request wait for whoever reads it.

    Lines that come faster than they are read are left out, and counted.

    Args:
      stream: Where to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(_MOST_WAITING)
        self._lost = 0
        self._thread = threading.Thread(target=self._write, name="request log", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Writes a line, soon."""
        try:
            if self._lost:
                self._lines.put_nowait(f"{self._lost} lines of this log are left out")
                self._lost = 0
            self._lines.put_nowait(line)
        except queue.Full:
            self._lost += 1

    def close(self) -> None:
        """Writes what is left, unless nobody reads it."""
        try:
            self._lines.put(None, timeout=_LAST_LINES)
        except queue.Full:
            return
        self._thread.join(_LAST_LINES)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                print(line, file=self._stream, flush=True)
            except (OSError, ValueError):  # Nobody is there to read it, or it is closed.
                return
