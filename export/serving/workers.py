"""Places for the requests whose clients wait, and threads for their work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import tensorflow as tf

__all__ = ["Workers"]

Answer = TypeVar("Answer")


class Workers:
    """Does the work of requests in threads, for both protocols, asked from one event loop.

    Clients over the limit are turned away at once. A client that leaves gives its place back, and
    its work is not begun if it still queues for a thread. A session cannot be stopped in the
    middle: what is begun goes on until it is done or its time is over. So that it does not hold up
    those who stay, there are twice as many threads as places.

    Args:
      limit: Clients that wait at the same time, at least 1.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"expected a limit of at least 1; got {limit}")
        self.limit = limit
        self._clients = 0
        self._threads = ThreadPoolExecutor(2 * limit, "work")
        self._lock = threading.Lock()
        self._queued = self._running = 0

    @property
    def queued(self) -> int:
        """Requests that wait for a thread."""
        return self._queued

    @property
    def running(self) -> int:
        """Requests in a thread, those among them whose clients have left."""
        return self._running

    async def run(self, work: Callable[[], Answer], seconds: float) -> Answer:
        """Returns what `work` returns; cancel this call when the client leaves.

        Args:
          work: What to do in a thread.
          seconds: Time that is left for it.

        Raises:
          tf.errors.OpError: RESOURCE_EXHAUSTED if there is no place, DEADLINE_EXCEEDED if it takes
            too long, or what `work` raises.
        """
        if self._clients >= self.limit:
            raise tf.errors.ResourceExhaustedError(
                None, None, f"{self.limit} requests are at work already: try again later"
            )
        self._clients += 1
        self._count(queued=1)
        submitted = self._threads.submit(self._do, work)
        future = asyncio.wrap_future(submitted)
        try:
            await asyncio.wait([future], timeout=max(seconds, 0))
            if not future.done():
                raise tf.errors.DeadlineExceededError(None, None, "Timed out")
            return future.result()
        finally:
            if submitted.cancel():  # It has not begun.
                self._count(queued=-1)
            future.cancel()  # Nobody asks any more what becomes of it.
            self._clients -= 1

    def close(self) -> None:
        """Gives the threads back, once there is nothing more to do."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _do(self, work: Callable[[], Answer]) -> Answer:
        self._count(queued=-1, running=1)
        try:
            return work()
        finally:
            self._count(running=-1)

    def _count(self, queued: int = 0, running: int = 0) -> None:
        with self._lock:
            self._queued += queued
            self._running += running
