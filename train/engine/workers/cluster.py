"""The processes that train one model together, from flags or from `TF_CONFIG`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from train.support.errors import UserError

__all__ = ["Cluster", "find_cluster"]

_VARIABLE = "TF_CONFIG"
_JOBS = ("chief", "worker")  # In this order; the first of all is the chief.
_LAST_PORT = 65535


class Cluster(NamedTuple):
    """The processes of a run.

    Attributes:
      addresses: `HOST:PORT` of each, at least two; the first is the chief.
      index: Index of this process.
    """

    addresses: tuple[str, ...]
    index: int

    def name(self, index: int) -> str:
        """The name of a process in messages."""
        who = "the chief" if index == 0 else f"worker {index}"
        return f"{who} ({self.addresses[index]})"

    def place(self, index: int) -> tuple[str, int]:
        """Host and port of a process."""
        host, _, port = self.addresses[index].rpartition(":")
        return host.strip("[]"), int(port)


def find_cluster(
    workers: str | None, index: int | None, environment: Mapping[str, str] = os.environ
) -> Cluster | None:
    """Returns the processes of a run, or None if this process is alone.

    Args:
      workers: `HOST:PORT,HOST:PORT,...`, or None to use `TF_CONFIG`.
      index: Index of this process in `workers`.
      environment: The environment variables.

    Raises:
      UserError: An address is not valid, or this process is not one of them.
    """
    if workers is not None:
        addresses = tuple(address.strip() for address in workers.split(","))
        expected, source = "the addresses of the workers, HOST:PORT,HOST:PORT,...", "--workers"
        if index is None:
            raise UserError(f"--workers expects --worker-index too, 0 to {len(addresses) - 1}")
        where = "--worker-index"
    elif index is not None:
        raise UserError("--worker-index expects --workers too, the addresses of all workers")
    else:
        addresses, index = _of_variable(environment.get(_VARIABLE, ""))
        expected, source = "addresses HOST:PORT of chief and workers", _VARIABLE
        where = f"{_VARIABLE}, at task,"
    for address in addresses:
        host, _, port = address.rpartition(":")
        # The chief also needs the port after its own.
        if not host or not port.isdecimal() or not 0 < int(port) < _LAST_PORT:
            raise UserError(f"{source} expects {expected}; got {address!r}")
    if len(set(addresses)) < len(addresses):
        raise UserError(f"{source} expects every address once; got {', '.join(addresses)}")
    if addresses and (taken := _next_port(addresses[0])) in addresses:
        raise UserError(f"{source}: the chief needs {taken} itself: give that worker another port")
    if addresses and not 0 <= index < len(addresses):
        raise UserError(f"{where} expects a number from 0 to {len(addresses) - 1}; got {index}")
    return Cluster(addresses, index) if len(addresses) > 1 else None


def _next_port(address: str) -> str:
    host, _, port = address.rpartition(":")
    return f"{host}:{int(port) + 1}"


def _of_variable(text: str) -> tuple[tuple[str, ...], int]:
    """The addresses in `TF_CONFIG`, none without a cluster, and the index of this process."""
    if not text.strip():
        return (), 0
    try:
        content = json.loads(text)
        jobs: dict[str, Any] = content.get("cluster", {})
        if not jobs:
            return (), 0
        kind, index = content["task"]["type"], int(content["task"]["index"])
        addresses = {job: [str(address) for address in jobs.get(job, [])] for job in _JOBS}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{_VARIABLE} expects JSON with cluster and task ({type(error).__name__}: {error}): "
            "correct it, or unset it to train in one process"
        ) from None
    others = [job for job in (*jobs, kind) if job not in _JOBS]
    if others or index < 0:
        raise UserError(
            f"{_VARIABLE} expects tasks of the types {' and '.join(_JOBS)}; got "
            f"{others[0] if others else index}: all processes of a run train"
        )
    first = len(addresses["chief"]) if kind == "worker" else 0
    if index >= len(addresses[kind]):
        raise UserError(f"{_VARIABLE} expects a task of its cluster; got {kind} {index}")
    return tuple(addresses["chief"] + addresses["worker"]), first + index
