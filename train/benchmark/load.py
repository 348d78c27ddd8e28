"""How busy the machine was with other work while something was timed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

__all__ = ["OtherLoad"]

_IDLE = slice(3, 5)  # Of the numbers of a line of /proc/stat: idle, and waiting for a disk.
_COUNTED = slice(0, 8)  # Up to the time that the host gave to other guests.


class _Clock(NamedTuple):
    total: float  # CPU time of all cores [s], idle or not.
    idle: float
    own: float  # Of this process and of those that it has waited for.


class OtherLoad:
    """Measures, from when it is made on, the share of the cores that other processes take.

    What the host of a virtual machine gives to other guests counts as well.

    Args:
      stat: Where Linux counts the time of its cores.
    """

    def __init__(self, stat: Path = Path("/proc/stat")) -> None:
        self._stat = stat
        self._start = self._read()

    def share(self) -> float | None:
        """From 0 (none) to 1 (all cores); None where the system does not tell."""
        now = self._read()
        if self._start is None or now is None or now.total <= self._start.total:
            return None
        total, idle, own = (b - a for a, b in zip(self._start, now, strict=True))
        return min(max((total - idle - own) / total, 0.0), 1.0)

    def _read(self) -> _Clock | None:
        try:
            ticks = list(map(int, self._stat.read_text().split("\n")[0].split()[1:]))
        except OSError:
            return None
        second = os.sysconf("SC_CLK_TCK")
        own = os.times()
        return _Clock(
            sum(ticks[_COUNTED]) / second,
            sum(ticks[_IDLE]) / second,
            own.user + own.system + own.children_user + own.children_system,
        )
