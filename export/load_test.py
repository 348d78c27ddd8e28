"""Load test of a server: `python -m export.load_test --url http://127.0.0.1:8501/v1/models/NAME`.

Each client requests sequences of mixed lengths over REST, one after the other. The program prints
the latency and the number of responses per second.
"""

from __future__ import annotations

import dataclasses
import http.client
import json
import math
import random
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from export.rest_client import RestClient
from train.support.errors import UserError, run_program
from train.support.flags import parse_flags

__all__ = ["LoadTestConfig", "main"]

_PROGRESS = 10.0  # Between two lines [s].
_TIMEOUT = 120.0  # Of an answer [s].


@dataclasses.dataclass(frozen=True)
class LoadTestConfig:
    """Requests sequences from a server with many clients at once and reports its speed."""

    url: str
    """URL of the model, http://HOST:PORT/v1/models/NAME."""
    clients: int = 16
    """Number of clients, each with one request at a time."""
    seconds: float = 60.0
    """Duration [seconds]."""
    max_length: int = 288
    """Lengths are uniform from 1 to this [characters or time steps]."""
    seed: int = 0
    """Seed of the lengths and of the sequences."""
    pid: int | None = None
    """Process of the server on this machine, to record its memory (Linux)."""


class _Client(threading.Thread):
    """One client. Once it has ended: the duration of each request [s], and what went wrong."""

    def __init__(self, config: LoadTestConfig, index: int, end: float) -> None:
        super().__init__(daemon=True)
        self._config, self._end = config, end
        self._rng = random.Random(f"{config.seed} {index}")
        self.seconds: list[float] = []
        self.steps = 0
        self.errors: list[str] = []

    def run(self) -> None:
        parts = urlsplit(self._config.url)
        kind = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        connection = kind[parts.scheme](parts.hostname, parts.port, timeout=_TIMEOUT)
        while time.monotonic() < self._end:
            row = {
                "length": self._rng.randint(1, self._config.max_length),
                "seed": self._rng.getrandbits(62),
                "temperature": 1.0,
            }
            body = json.dumps({"signature_name": "generate", "instances": [row]})
            started = time.monotonic()
            try:
                connection.request("POST", f"{parts.path}:predict", body)
                response = connection.getresponse()
                text = response.read()
                if response.status != 200:
                    raise ValueError(f"{response.status} {text[:200].decode('utf-8', 'replace')}")
                self.steps += json.loads(text)["predictions"][0]["num_steps"]
                self.seconds.append(time.monotonic() - started)
            except (OSError, http.client.HTTPException, LookupError, ValueError) as error:
                self.errors.append(f"{type(error).__name__}: {error}")
                connection.close()
                time.sleep(0.1)


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program.

    Args:
      args: Its flags; None for those of the process.

    Raises:
      UserError: The input is invalid, or a request got no response.
    """
    config = parse_flags(LoadTestConfig, "python -m export.load_test", args)
    for flag, value in (("clients", config.clients), ("max-length", config.max_length)):
        if value < 1:
            raise UserError(f"--{flag} expects a number above 0; got {value}")
    if not (math.isfinite(config.seconds) and config.seconds > 0):
        raise UserError(f"--seconds expects a number above 0; got {config.seconds}")
    if "generate" not in RestClient(config.url).signatures():
        raise UserError(f"{config.url} has no signature 'generate'")
    started = time.monotonic()
    clients = [_Client(config, i, started + config.seconds) for i in range(config.clients)]
    for client in clients:
        client.start()
    memory = _watch(config, clients, started)
    elapsed = time.monotonic() - started
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
    while any(client.is_alive() for client in clients):
        time.sleep(1.0)
        if config.pid is not None:
            memory.append(_resident_mib(config.pid))
        if time.monotonic() - printed >= _PROGRESS:
            printed = time.monotonic()
            num = sum(len(client.seconds) for client in clients)
            used = f"  {memory[-1]:.0f} MiB" if memory else ""
            print(f"{printed - started:.0f} s  {num} answers{used}", file=sys.stderr)
    return memory


def _resident_mib(pid: int) -> float:
    """Returns the memory of a process [MiB].

    Raises:
      UserError: There is no such process, or its memory is unknown.
    """
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
