"""Writes a line for every request, in a separate thread."""

from __future__ import annotations

import queue
import threading
from typing import TextIO

__all__ = ["RequestLog"]

_MOST_WAITING = 10_000  # Maximum number of lines in the queue.
_LAST_LINES = 1.0  # Time limit for writing the last lines at the end [s].


class RequestLog:
    """Writes lines to a stream without making requests wait for its reader.

    If lines arrive faster than they can be written, some are left out and counted.

    Args:
      stream: The stream.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(_MOST_WAITING)
        self._lost = 0
        self._thread = threading.Thread(target=self._write, name="request log", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Queues a line."""
        try:
            if self._lost:
                self._lines.put_nowait(f"{self._lost} lines of this log are left out")
                self._lost = 0
            self._lines.put_nowait(line)
        except queue.Full:
            self._lost += 1

    def close(self) -> None:
        """Writes the remaining lines, unless the stream blocks."""
        try:
            self._lines.put(None, timeout=_LAST_LINES)
        except queue.Full:
            return
        self._thread.join(_LAST_LINES)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                print(line, file=self._stream, flush=True)
            except (OSError, ValueError):  # The reader is gone, or the stream is closed.
                return
