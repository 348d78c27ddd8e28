"""A lock between processes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

__all__ = ["one_at_a_time"]


@contextlib.contextmanager
def one_at_a_time(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Lets one process at a time run the block, by a lock file next to `path`.

    Args:
      path: What the block makes.
      waiting: Called if another process is running it, before waiting for that.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(f"{path}.lock")
    try:
        held = lock.acquire(blocking=False)
    except filelock.Timeout:
        waiting()
        held = lock.acquire()
    with held:
        yield
