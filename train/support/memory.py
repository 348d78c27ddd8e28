"""Memory and CPU time of this process, as counted by the operating system."""

from __future__ import annotations

import sys
from typing import Any

try:
    import resource
except ImportError:  # Windows.
    resource = None

__all__ = ["peak_memory_gib", "usage"]


def peak_memory_gib() -> float | None:
    """Returns the peak host memory of this process in GiB; None if the system does not count it."""
    used = usage()
    # Bytes on macOS, else KiB.
    return used and used.ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)


def usage() -> Any:
    """Returns `resource.struct_rusage` of this process; None if the system does not count it."""
    return resource and resource.getrusage(resource.RUSAGE_SELF)
