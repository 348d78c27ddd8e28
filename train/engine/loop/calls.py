"""Runs calls ahead: the device computes one while the host reads the results of the last."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from train.engine.loop.backend import Backend
from train.engine.loop.record import Record
from train.engine.order import Call
from train.engine.progress import Progress

__all__ = ["CallQueue"]


class CallQueue:
    """Starts calls, and passes the terms of their steps to a record and a progress.

    Attributes:
      met: Lengths of the batches so far; each is compiled once.
    """

    def __init__(self, backend: Backend, record: Record, progress: Progress) -> None:
        """Starts nothing yet."""
        self._backend = backend
        self._record = record
        self._progress = progress
        self._pending: tuple[int, Any, Sequence[float], Sequence[float]] | None = None
        self.met: set[int] = set()

    def start(self, call: Call, kl_weights: Sequence[float], rates: Sequence[float]) -> None:
        """Starts a call, and then waits for the previous one.

        Time spent on compiling for new lengths is not counted in the speed.
        """
        new = call.bounds - self.met
        self.met |= new
        start = time.perf_counter()
        compiles = bool(new) and self._backend.prepare(new)
        if not compiles:
            self._progress.pause(time.perf_counter() - start)
            self._progress.count_steps(len(call.steps))
        handle = self._backend.start(call, kl_weights, rates)
        if compiles:
            self._progress.pause(time.perf_counter() - start)
        self.settle()
        self._pending = call.first, handle, kl_weights, rates

    def settle(self) -> None:
        """Waits for the current call, if there is one."""
        if self._pending:
            first, handle, kl_weights, rates = self._pending
            self._pending = None
            terms = self._backend.read(handle)
            self._progress.add_terms(terms)
            self._record.steps(first, terms, kl_weights, rates)
