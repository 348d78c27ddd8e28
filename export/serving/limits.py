"""The limits of the server, by which no client takes what the others need."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DEFAULT_LIMITS", "Limits"]


class Limits(NamedTuple):
    """What requests may take.

    Attributes:
      max_requests: Maximum number of requests at work, over both protocols.
      max_body_bytes: Maximum size of a body, or of a message and a tensor in it.
      max_rows: Maximum number of rows per request.
      timeout: Time limit of a request [s]: over REST for its body to arrive, and for the answer
        after that; over gRPC for both, and a client may set a shorter one.
      idle_timeout: Time limit for the head of a REST request, for the client to read on, and for
        the handshake and the keepalive of gRPC [s].
    """

    max_requests: int = 32
    max_body_bytes: int = 4 * 2**20
    max_rows: int = 256
    timeout: float = 30.0
    idle_timeout: float = 10.0


DEFAULT_LIMITS = Limits()
