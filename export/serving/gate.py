"""A bound on the requests that are at work at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

__all__ = ["Gate"]


class Gate:
    """Lets `limit` requests in, of both protocols together, and turns the others away at once.

    Args:
      limit: Requests at work, at least 1.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"expected a limit of at least 1; got {limit}")
        self.limit = limit
        self._places = threading.BoundedSemaphore(limit)

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Holds a place while the request is at work.

        Raises:
          tf.errors.ResourceExhaustedError: If there is none.
        """
        if not self._places.acquire(blocking=False):
            raise tf.errors.ResourceExhaustedError(
                None, None, f"{self.limit} requests are at work already: try again later"
            )
        try:
            yield
        finally:
            self._places.release()
