"""The signals that end a program: Ctrl-C, and SIGTERM, which schedulers send."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType

__all__ = ["signals_call"]


@contextlib.contextmanager
def signals_call(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Has these signals call a function while a block runs. One that is ignored stays ignored.

    Args:
      handler: Called with the number of the signal and the frame that it interrupts.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number, found in before.items():
            if found is not signal.SIG_IGN:
                signal.signal(number, handler)
        yield
    finally:
        for number, found in before.items():
            signal.signal(number, found)
