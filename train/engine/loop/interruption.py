"""Ctrl-C and SIGTERM, deferred to where the work can stop without a loss."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

__all__ = ["Interruption"]

_STDERR = 2
_SAID = b"\nstopping after this step, with a checkpoint; a second signal stops at once\n"


class Interruption:
    """Defers Ctrl-C and SIGTERM, which schedulers send before they kill, while a block runs.

    The block asks, by calling the object, whether it should stop. At its end, `KeyboardInterrupt`
    is raised with the number of the signal. A second signal of the same kind acts at once. Nothing
    is deferred of a signal that is ignored, or outside the main thread.
    """

    def __init__(self, defer: bool = True) -> None:
        """Changes nothing yet.

        Args:
          defer: False for a block in which signals act as they do without it.
        """
        self._defer = defer
        self._before: dict[int, Any] = {}
        self._number: int | None = None

    def __enter__(self) -> Self:
        if self._defer and threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number in list(self._before):
            self._restore(number)
        if self._number is not None and error is None:
            raise KeyboardInterrupt(self._number)

    def __call__(self) -> bool:
        """Whether a signal has come."""
        return self._number is not None

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._number = number
        self._restore(number)
        # Not `print`, which may be what the signal has interrupted.
        with contextlib.suppress(OSError):  # Nobody may be reading it any more.
            os.write(_STDERR, _SAID)

    def _restore(self, number: int) -> None:
        signal.signal(number, self._before.pop(number))
