"""The team of several processes: when one of them is lost, all of them end."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from train.engine.workers.cluster import Cluster
from train.engine.workers.link import DATA, ENDED, LEFT, Link
from train.engine.workers.team import Disagreement, Team, first_part
from train.support.errors import UserError

__all__ = ["LinkedTeam", "end_process"]

_CURE = "the same command on every machine resumes from the last checkpoint"
_NEWS_SECONDS = 5  # Usually an error in this process means that another one was lost.
_REASON_LENGTH = 300
_STDERR = 2


class LinkedTeam(Team):
    """One process of several. The chief has a link to every other, the others one to the chief.

    A thread reads each link. When a process ends before the run has finished, every other process
    prints one line and ends too, whatever it is doing, because TensorFlow may wait for ever for a
    process that is gone.
    """

    def __init__(
        self, cluster: Cluster, links: Mapping[int, Link], end: Callable[[str], None]
    ) -> None:
        """Starts to listen.

        Args:
          cluster: The processes.
          links: Links by the index of the process at the other end.
          end: Called in a separate thread to end this process with a line.
        """
        self.cluster = cluster
        self.index = cluster.index
        self.size = len(cluster.addresses)
        self._links = dict(sorted(links.items()))
        self._end = end
        self._parts = {index: queue.SimpleQueue[bytes | None]() for index in self._links}
        self._lock = threading.Lock()
        self._over = False  # Whether the run has finished, so that processes may end.
        for index in self._links:
            threading.Thread(target=self._listen, args=(index,), daemon=True).start()

    def exchange(self, part: bytes, combine: Callable[[Sequence[bytes]], bytes]) -> bytes:
        if not self.is_chief:
            self._send(0, part)
            return self._part_of(0)
        made = combine([part, *map(self._part_of, self._links)])
        for index in self._links:
            self._send(index, made)
        return made

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        together = error is None or isinstance(error, (SystemExit, Disagreement))
        if error is None:
            self.exchange(b"", first_part)
        elif not together and not isinstance(error, (UserError, KeyboardInterrupt)):
            time.sleep(_NEWS_SECONDS)
        with self._lock:
            self._over = True
        line = f"{self.cluster.name(self.index)} has ended: {_reason(error)}"
        if not isinstance(error, UserError):  # It says itself what to do.
            line += f"; {_CURE}"
        for link in self._links.values():
            with contextlib.suppress(OSError):
                link.send(*((LEFT,) if together else (ENDED, line.encode())))
            link.end()

    def _send(self, index: int, part: bytes) -> None:
        try:
            self._links[index].send(DATA, part)
        except OSError:
            self._fail(index)

    def _part_of(self, index: int) -> bytes:
        part = self._parts[index].get()
        return self._fail(index) if part is None else part

    def _fail(self, index: int) -> bytes:
        """Waits until the listening thread, which knows the reason, ends this process."""
        time.sleep(_NEWS_SECONDS)
        raise UserError(f"{self.cluster.name(index)} has left the run: {_CURE}")

    def _listen(self, index: int) -> None:
        """Receives the messages of a process until it ends."""
        link, line = self._links[index], f"{self.cluster.name(index)} has ended; {_CURE}"
        with contextlib.suppress(OSError, EOFError, ValueError):
            while True:
                kind, body = link.receive()
                if kind == DATA:
                    self._parts[index].put(body)
                    continue
                line = "" if kind == LEFT else body.decode(errors="replace")
                break
        if line:
            self._lose(index, line)
        else:
            self._parts[index].put(None)
            with contextlib.suppress(OSError, EOFError, ValueError):
                link.receive()  # Its end.
        link.close()

    def _lose(self, index: int, line: str) -> None:
        """Ends this process, once, and first tells the others why."""
        with self._lock:
            if self._over:
                return
            self._over = True
        for other, link in self._links.items():
            if other != index:
                # A process that does not receive it must not delay the others.
                told = threading.Thread(target=_tell, args=(link, line), daemon=True)
                told.start()
                told.join(1)
        self._end(line)


def end_process(line: str) -> None:
    """Ends this process with one line and exit status 2, even if other threads are waiting."""
    with contextlib.suppress(OSError):  # Nobody may be reading it any more.
        os.write(_STDERR, f"error: {line}\n".encode(errors="replace"))
    os._exit(2)


def _tell(link: Link, line: str) -> None:
    with contextlib.suppress(OSError):
        link.send(ENDED, line.encode())


def _reason(error: BaseException | None) -> str:
    """An error in one line."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    text = " ".join(str(error).split())[:_REASON_LENGTH]
    return text if isinstance(error, UserError) else f"{type(error).__name__}: {text}"
