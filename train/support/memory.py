"""Memory and CPU time of this process, as counted by the operating system."""

from __future__ import annotations

import sys
from typing import NamedTuple

try:
    import resource
except ImportError:  # Windows.
    resource = None

__all__ = ["Usage", "peak_memory_gib", "usage"]


def peak_memory_gib() -> float | None:
    """Returns the peak host memory of this process in GiB; None if the system does not count it."""
    if resource is None:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**30 if sys.platform == "darwin" else 2**20)  # Bytes there, else KiB.


class Usage(NamedTuple):
    """What this process has used so far.

    Attributes:
      user: CPU time of its own code [s].
      kernel: CPU time of the system on its behalf [s].
      page_faults: Pages that the system has mapped for it without reading a disk.
    """

    user: float
    kernel: float
    page_faults: int


def usage() -> Usage | None:
    """Returns what this process has used so far; None if the system does not count it."""
    if resource is None:
        return None
    used = resource.getrusage(resource.RUSAGE_SELF)
    return Usage(used.ru_utime, used.ru_stime, used.ru_minflt)
