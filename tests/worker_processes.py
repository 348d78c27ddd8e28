"""Processes that train one model together, on this machine."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.paths import environment

__all__ = [
    "Worker",
    "free_addresses",
    "start_by_flags",
    "start_by_variable",
    "wait_for_step",
]


def free_addresses(count: int) -> tuple[str, ...]:
    """Addresses on this machine whose ports, and those after them, nobody uses."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(10_000, 30_000)  # Below those that the system itself gives away.
        try:
            for taken in (port, port + 1):
                socket.create_server(("", taken)).close()
        except OSError:
            continue
        if not {port - 1, port, port + 1} & set(found):
            found.append(port)
    return tuple(f"127.0.0.1:{port}" for port in found)


class Worker:
    """A process `python -m ...`; its output goes to files, for which it never has to wait."""

    def __init__(self, command: Sequence[str], folder: Path, **changes: str) -> None:
        self._files = [tempfile.TemporaryFile("w+") for _ in range(2)]  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command],
            stdout=self._files[0],
            stderr=self._files[1],
            cwd=folder,
            env=environment(**changes),
        )

    def wait(self, seconds: float = 900) -> tuple[int, str, str]:
        """Exit status, standard output and error; a busy machine is no failure."""
        status = self.process.wait(seconds)
        texts = []
        for file in self._files:
            file.seek(0)
            texts.append(file.read())
        return status, *texts


def start_by_flags(commands: Sequence[Sequence[str]], folder: Path) -> list[Worker]:
    """Starts a worker for each command, with what they are told of each other as flags."""
    workers = ",".join(free_addresses(len(commands)))
    return [
        Worker([*command, "--workers", workers, "--worker-index", str(index)], folder)
        for index, command in enumerate(commands)
    ]


def start_by_variable(command: Sequence[str], folders: Sequence[Path]) -> list[Worker]:
    """Starts one command in several folders, the workers by `TF_CONFIG`."""
    cluster = {"worker": free_addresses(len(folders))}
    tasks = [{"type": "worker", "index": index} for index in range(len(folders))]
    variables = [json.dumps({"cluster": cluster, "task": task}) for task in tasks]
    return [
        Worker(command, folder, TF_CONFIG=variable)
        for folder, variable in zip(folders, variables, strict=True)
    ]


def wait_for_step(chief: Worker, workdir: Path, step: int) -> None:
    """Waits until the chief has written the checkpoint of a step."""
    deadline = time.monotonic() + 900
    while not (workdir / "checkpoints" / f"step-{step:09d}").exists():
        assert chief.process.poll() is None, chief.wait()
        assert time.monotonic() < deadline
        time.sleep(0.002)
