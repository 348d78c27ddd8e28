"""Messages between two processes over TCP, each whole or not at all."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import NamedTuple

__all__ = ["DATA", "ENDED", "HELLO", "LEFT", "LOST_SECONDS", "Link", "Message"]

# What a message is.
HELLO, DATA, LEFT, ENDED = b"h", b"d", b"l", b"e"

LOST_SECONDS = 20
"""After so many seconds without a sign of a machine it counts as lost [seconds]."""
_IDLE, _INTERVAL, _PROBES = 5, 5, 3  # Which make LOST_SECONDS.
_HEAD = struct.Struct("!cQ")


class Message(NamedTuple):
    """What one process tells another."""

    kind: bytes
    body: bytes


class Link:
    """A connection. Several threads may send, and one may receive.

    The system itself ends the connection of a process that is killed, at once, and asks a silent
    machine for a sign of life: no process has to, however busy it is.
    """

    def __init__(self, connection: socket.socket) -> None:
        """Takes over a connected socket."""
        self._socket = connection
        self._lock = threading.Lock()
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_KEEPIDLE", _IDLE),
            ("TCP_KEEPINTVL", _INTERVAL),
            ("TCP_KEEPCNT", _PROBES),
            ("TCP_USER_TIMEOUT", 1000 * LOST_SECONDS),  # Where something waits to be acknowledged.
        ):
            if hasattr(socket, name):  # Each system has its own.
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def send(self, kind: bytes, body: bytes = b"") -> None:
        """Sends a message.

        Raises:
          OSError: If the other process is not there.
        """
        with self._lock:
            self._socket.sendall(_HEAD.pack(kind, len(body)))
            if body:  # Else the other process has it all, and may have closed the connection.
                self._socket.sendall(body)

    def receive(self, most: int | None = None) -> Message:
        """Waits for a message.

        Args:
          most: Bytes that it may have, or None for any number.

        Raises:
          OSError: If the other process is not there; `EOFError` if it has closed the connection.
          ValueError: If this is no message, or a longer one.
        """
        kind, size = _HEAD.unpack(self._read(_HEAD.size))
        if kind not in (HELLO, DATA, LEFT, ENDED) or (most is not None and size > most):
            raise ValueError(f"expected a message; got {kind!r} of {size} bytes")
        return Message(kind, bytes(self._read(size)))

    def set_timeout(self, seconds: float | None) -> None:
        """Bounds the time of a single receipt; None for no bound."""
        self._socket.settimeout(seconds)

    def end(self) -> None:
        """Sends nothing more; what the other process still sends can be received."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Closes the connection."""
        self._socket.close()

    def _read(self, size: int) -> bytearray:
        content = bytearray(size)
        view = memoryview(content)
        while view:
            count = self._socket.recv_into(view)
            if not count:
                raise EOFError("the connection is closed")
            view = view[count:]
        return content
