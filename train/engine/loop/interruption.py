"""Ctrl-C and SIGTERM, deferred to where the work can stop without a loss."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

__all__ = ["deferred_signals"]

_STDERR = 2
_SAID = b"\nstopping after this step, with a checkpoint; a second signal stops at once\n"


@contextlib.contextmanager
def deferred_signals(defer: bool = True) -> Iterator[Callable[[], bool]]:
    """Defers Ctrl-C and SIGTERM, which schedulers send before they kill, while a block runs.

    Yields a function by which the block asks whether it should stop. At its end,
    `KeyboardInterrupt` is raised with the number of the signal. A second signal of the same kind
    acts at once. Nothing is deferred of a signal that is ignored, or outside the main thread.

    Args:
      defer: False for a block in which signals act as they do without it.
    """
    before: dict[int, Any] = {}
    noted: list[int] = []

    def restore(number: int) -> None:
        signal.signal(number, before.pop(number))

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        restore(number)
        # Not `print`, which may be what the signal has interrupted.
        with contextlib.suppress(OSError):  # Nobody may be reading it any more.
            os.write(_STDERR, _SAID)

    if defer and threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, note)
    try:
        yield lambda: bool(noted)
    finally:
        for number in list(before):
            restore(number)
    if noted:
        raise KeyboardInterrupt(noted[-1])
