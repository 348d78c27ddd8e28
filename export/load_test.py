"""Load test of a server: `python -m export.load_test --url http://127.0.0.1:8501/v1/models/NAME`.

Each client requests sequences of mixed lengths over REST, one after the other. The program prints
the latency, the number of responses per second and, with `--pid`, the memory of the server.
"""

from __future__ import annotations

import dataclasses
import http.client
import itertools
import json
import math
import random
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from export.rest_client import RestClient
from train.support.errors import UserError, run_program
from train.support.flags import parse_flags
from train.support.ranges import POSITIVE

__all__ = ["LoadTestConfig", "main"]

_PROGRESS = 10.0  # Between two lines [s].
_TIMEOUT = 120.0  # Of an answer [s].
_MEMORY_EVERY = 1000  # Answers from one line on the memory to the next.
_SIGNATURES = ("generate", "complete", "score", "score_steps")


@dataclasses.dataclass(frozen=True)
class LoadTestConfig:
    """Requests sequences from a server with many clients at once and reports its speed."""

    url: str
    """URL of the model, http://HOST:PORT/v1/models/NAME."""
    clients: Annotated[int, POSITIVE] = 16
    """Number of clients, each with one request at a time."""
    seconds: Annotated[float, POSITIVE] = 60.0
    """Duration [seconds]."""
    requests: Annotated[int | None, POSITIVE] = None
    """Number of requests after which the test ends, if its duration has not passed before."""
    signatures: tuple[Literal[*_SIGNATURES], ...] = ("generate",)
    """Signatures to request, in random order. All but generate get the sequence that the client
    generated last."""
    max_length: Annotated[int, POSITIVE] = 288
    """Lengths are uniform from 1 to this [characters or time steps]."""
    seed: int = 0
    """Seed of the lengths and of the sequences."""
    pid: int | None = None
    """Process of the server on this machine, to print its memory after every 1,000 answers
    (Linux)."""


class _Client(threading.Thread):
    """One client. Once it has ended: when, the duration of each request [s], and what went wrong.

    Args:
      config: What it requests.
      index: Its number.
      end: Time of its last request, on the clock of `time.monotonic`.
      tickets: One for every request; all clients share them.
    """

    def __init__(
        self, config: LoadTestConfig, index: int, end: float, tickets: Iterator[Any]
    ) -> None:
        super().__init__(daemon=True)
        self._config, self._end, self._tickets = config, end, tickets
        self._generated: dict[str, Any] = {}  # The last sequence and its `num_steps`.
        self._rng = random.Random(f"{config.seed} {index}")
        self.seconds: list[float] = []
        self.ended = 0.0
        self.steps = 0
        self.errors: list[str] = []

    def run(self) -> None:
        parts = urlsplit(self._config.url)
        kind = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        connection = kind[parts.scheme](parts.hostname, parts.port, timeout=_TIMEOUT)
        while time.monotonic() < self._end and next(self._tickets, None) is not None:
            signature = self._rng.choice(self._config.signatures) if self._generated else "generate"
            body = json.dumps({"signature_name": signature, "instances": [self._row(signature)]})
            started = time.monotonic()
            try:
                connection.request("POST", f"{parts.path}:predict", body)
                response = connection.getresponse()
                text = response.read()
                try:
                    (answer,) = json.loads(text)["predictions"]
                    if signature in ("generate", "complete"):
                        self.steps += answer["num_steps"]
                except (LookupError, TypeError, ValueError):
                    shown = text[:200].decode("utf-8", "replace")
                    raise ValueError(f"{response.status} {shown}") from None
                if signature == "generate":
                    self._generated = answer
                self.seconds.append(time.monotonic() - started)
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.errors.append(f"{type(error).__name__}: {error}")
                connection.close()
                time.sleep(0.1)
        self.ended = time.monotonic()

    def _row(self, signature: str) -> dict[str, Any]:
        given = {name: value for name, value in self._generated.items() if name != "num_steps"}
        if signature in ("score", "score_steps"):
            return given
        begun = self._generated["num_steps"] if signature == "complete" else 0
        longest = self._config.max_length
        row = {
            "length": self._rng.randint(min(begun + 1, longest), longest),
            "seed": self._rng.getrandbits(62),
            "temperature": 1.0,
        }
        return {**given, **row} if signature == "complete" else row


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program.

    Args:
      args: Its flags; None for those of the process.

    Raises:
      UserError: The input is invalid, or a request got no response.
    """
    config = parse_flags(LoadTestConfig, "python -m export.load_test", args)
    if not config.signatures:
        raise UserError(f"--signatures expects {', '.join(_SIGNATURES)}; got none")
    client = RestClient(config.url)
    config = dataclasses.replace(config, url=client.url)
    there = client.signatures()
    for signature in ("generate", *config.signatures):
        if signature not in there:
            raise UserError(f"{config.url} has no signature {signature!r}")
    if config.pid is not None:
        _resident_mib(config.pid)
    started = time.monotonic()
    tickets = itertools.count() if config.requests is None else iter(range(config.requests))
    clients = [_Client(config, i, started + config.seconds, tickets) for i in range(config.clients)]
    for client in clients:
        client.start()
    memory = _watch(config, clients, started)
    elapsed = max(client.ended for client in clients) - started
    seconds = sorted(s for client in clients for s in client.seconds)
    errors = [error for client in clients for error in client.errors]
    if seconds:
        steps = sum(client.steps for client in clients)
        print(
            f"{len(seconds)} answers, {len(errors)} errors, {elapsed:.0f} s, "
            f"{config.clients} clients\n"
            f"p50 {_quantile(seconds, 0.5):.3f} s  p99 {_quantile(seconds, 0.99):.3f} s  "
            f"{len(seconds) / elapsed:.1f} requests/s  {steps / elapsed:.0f} steps/s"
        )
    if memory:
        early = memory[len(memory) // 4]
        print(
            f"memory {early:.0f} MiB after a quarter of the time, {memory[-1]:.0f} MiB at the end"
        )
    if errors or not seconds:
        raise UserError(f"{len(errors)} requests had no answer: {(errors or ['none came'])[0]}")


def _watch(config: LoadTestConfig, clients: Sequence[_Client], started: float) -> list[float]:
    """Waits for the clients; returns the server's memory, once per second [MiB]."""
    memory = []
    printed = started
    next_line = 0  # On the memory [answers].
    while any(client.is_alive() for client in clients):
        time.sleep(1.0)
        num = sum(len(client.seconds) for client in clients)
        if config.pid is not None:
            memory.append(_resident_mib(config.pid))
            if num >= next_line:
                print(f"{num} answers  {memory[-1]:.0f} MiB", flush=True)
                next_line = num - num % _MEMORY_EVERY + _MEMORY_EVERY
        if time.monotonic() - printed >= _PROGRESS:
            printed = time.monotonic()
            print(f"{printed - started:.0f} s  {num} answers", file=sys.stderr)
    return memory


def _resident_mib(pid: int) -> float:
    """Returns the memory of a process [MiB]."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        (line,) = (line for line in lines if line.startswith("VmRSS:"))
    except (OSError, ValueError) as error:
        raise UserError(f"--pid expects a process of this machine (Linux): {error}") from None
    return int(line.split()[1]) / 1024


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, math.floor(share * len(ordered)))]


if __name__ == "__main__":
    run_program(main)
