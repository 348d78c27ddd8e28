"""Limits the requests at work, and runs them in threads."""

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
    """Runs requests of both protocols in threads; called from one event loop.

    Requests over the limit are refused at once. When a client disconnects, its request no longer
    counts, and is not started if it is still queued. A session cannot be interrupted, so a running
    request continues until it is done or its time is over. There are twice as many threads as
    `limit`, so that such requests do not delay the others.

    Args:
      limit: Maximum number of clients that wait at the same time, at least 1.
      timeout: The server's time limit, for messages [s].

    Attributes:
      queued: Number of requests that wait for a thread.
      running: Number of requests in threads, including those whose clients have disconnected.
    """

    def __init__(self, limit: int, timeout: float) -> None:
        self.limit = limit
        self._timeout = timeout
        self._clients = 0
        self._threads = ThreadPoolExecutor(2 * limit, "work")
        self._lock = threading.Lock()
        self.queued = self.running = 0

    async def run(self, work: Callable[[], Answer], seconds: float) -> Answer:
        """Runs `work` in a thread and returns its result; cancel this if the client disconnects.

        Args:
          work: The function to run.
          seconds: Time limit.

        Raises:
          tf.errors.OpError: RESOURCE_EXHAUSTED if the limit is reached, DEADLINE_EXCEEDED if it
            takes too long, or an error of `work`.
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
            if future.done():
                return future.result()
        except tf.errors.DeadlineExceededError:
            pass  # The session's; its words depend on where the graph was.
        finally:
            if submitted.cancel():  # It has not started.
                self._count(queued=-1)
            future.cancel()  # Nobody needs the result any more.
            self._clients -= 1
        raise tf.errors.DeadlineExceededError(
            None,
            None,
            f"Timed out after {max(seconds, 0):.3g} s; --timeout of the server is "
            f"{self._timeout:g} s",
        )

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
            self.queued += queued
            self.running += running
