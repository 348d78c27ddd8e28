"""The memory that this process takes."""

from __future__ import annotations

import sys

try:
    import resource
except ImportError:  # Windows.
    resource = None

__all__ = ["peak_memory_gib"]


def peak_memory_gib() -> float | None:
    """Returns the most host memory that this process has had, GiB; None where no one counts it."""
    if resource is None:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**30 if sys.platform == "darwin" else 2**20)  # Bytes there, else KiB.
