"""The limits of the server, by which no client takes what the others need; and of its process."""

from __future__ import annotations

from typing import NamedTuple

try:
    import resource
except ImportError:  # Windows does not limit the open files of a process.
    resource = None

__all__ = ["DEFAULT_LIMITS", "Limits", "max_open_files", "raise_file_limit"]

_ENOUGH_FILES = 65_536


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


def max_open_files() -> int:
    """Returns the limit on the open files of this process, which include its connections."""
    if resource is None:
        return _ENOUGH_FILES
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _enough_of(soft)


def raise_file_limit() -> None:
    """Raises that limit as far as the system allows, up to the number that a server needs."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _enough_of(soft) < _enough_of(hard):
        resource.setrlimit(resource.RLIMIT_NOFILE, (_enough_of(hard), hard))


def _enough_of(limit: int) -> int:
    return _ENOUGH_FILES if limit == resource.RLIM_INFINITY else min(limit, _ENOUGH_FILES)
