"""Messages between two processes over TCP, each received completely or not at all."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

__all__ = ["DATA", "ENDED", "HELLO", "LEFT", "LOST_SECONDS", "Link"]

# The kinds of messages.
HELLO, DATA, LEFT, ENDED = b"h", b"d", b"l", b"e"

LOST_SECONDS = 20
"""Time without any answer after which a machine counts as lost [seconds]."""
_IDLE, _INTERVAL, _PROBES = 5, 5, 3  # Together LOST_SECONDS.
_HEAD = struct.Struct("!cQ")


class Link:
    """A connection. Several threads may send, and one may receive.

    The operating system closes the connection at once when a process is killed, and checks by TCP
    keepalive whether a silent machine is still there. The processes need no heartbeats of their
    own, however busy they are.
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
            ("TCP_USER_TIMEOUT", 1000 * LOST_SECONDS),  # For data not yet acknowledged.
        ):
            if hasattr(socket, name):  # Each system has its own.
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def send(self, kind: bytes, body: bytes = b"") -> None:
        """Sends a message.

        Raises:
          OSError: The other process is gone.
        """
        with self._lock:
            self._socket.sendall(_HEAD.pack(kind, len(body)))
            if body:  # Otherwise the message is complete, and the connection may be closed.
                self._socket.sendall(body)

    def receive(self, most: int | None = None) -> tuple[bytes, bytes]:
        """Waits for a message, and returns its kind and its body.

        Args:
          most: Maximum size of the message in bytes, or None for no limit.

        Raises:
          OSError: The other process is gone. `EOFError` if it has closed the connection.
          ValueError: This is not a message, or it is too long.
        """
        kind, size = _HEAD.unpack(self._read(_HEAD.size))
        if kind not in (HELLO, DATA, LEFT, ENDED) or (most is not None and size > most):
            raise ValueError(f"expected a message; got {kind!r} of {size} bytes")
        return kind, bytes(self._read(size))

    def set_timeout(self, seconds: float | None) -> None:
        """Bounds the time of a single receipt; None for no bound."""
        self._socket.settimeout(seconds)

    def end(self) -> None:
        """Stops sending; messages of the other process can still be received."""
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
