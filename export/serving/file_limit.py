"""How many files, connections among them, this process may have open."""

from __future__ import annotations

try:
    import resource
except ImportError:  # Windows, which has no such limit.
    resource = None

__all__ = ["max_open_files", "raise_file_limit"]

_ENOUGH = 65_536


def max_open_files() -> int:
    """Returns how many there may be."""
    if resource is None:
        return _ENOUGH
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _ENOUGH if soft == resource.RLIM_INFINITY else min(soft, _ENOUGH)


def raise_file_limit() -> None:
    """Lets this process have as many as it may allow itself, up to what a server needs."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
