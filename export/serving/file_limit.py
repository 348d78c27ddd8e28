"""The limit on the open files of this process, which include its connections."""

from __future__ import annotations

try:
    import resource
except ImportError:  # Windows has no such limit.
    resource = None

__all__ = ["max_open_files", "raise_file_limit"]

_ENOUGH = 65_536


def max_open_files() -> int:
    """Returns the limit."""
    if resource is None:
        return _ENOUGH
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _ENOUGH if soft == resource.RLIM_INFINITY else min(soft, _ENOUGH)


def raise_file_limit() -> None:
    """Raises the limit as far as the system allows, up to the number that a server needs."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
