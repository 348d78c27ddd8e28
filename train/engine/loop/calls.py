"""Calls that are under way: the device has the next while the host reads an earlier one."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from train.engine.loop.backend import Backend
from train.engine.loop.record import Record
from train.engine.order import Call
from train.engine.progress import Progress

__all__ = ["CallQueue"]

_AHEAD = 2


class _Started(NamedTuple):
    first: int
    handle: Any
    kl_weights: Sequence[float]
    rates: Sequence[float]


class CallQueue:
    """Starts calls, and tells a record and a progress what their steps report.

    Attributes:
      met: Lengths of the batches so far: each is compiled once.
    """

    def __init__(self, backend: Backend, record: Record, progress: Progress) -> None:
        """Starts nothing yet."""
        self._backend = backend
        self._record = record
        self._progress = progress
        self._pending: deque[_Started] = deque()
        self.met: set[int] = set()

    def start(self, call: Call, kl_weights: Sequence[float], rates: Sequence[float]) -> None:
        """Starts a call; reads the oldest if there are too many.

        What is compiled for lengths that come for the first time counts in no rate.
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
        self._pending.append(_Started(call.first, handle, kl_weights, rates))
        while len(self._pending) >= _AHEAD:
            self._read_one()

    def settle(self) -> None:
        """Waits for all calls."""
        while self._pending:
            self._read_one()

    def _read_one(self) -> None:
        call = self._pending.popleft()
        terms = self._backend.read(call.handle)
        for step_terms in terms:
            self._progress.add_terms(step_terms)
        self._record.steps(call.first, terms, call.kl_weights, call.rates)
