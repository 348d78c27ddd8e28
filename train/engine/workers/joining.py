"""Connects the processes of a run."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Callable

from train.engine.workers.cluster import Cluster
from train.engine.workers.link import DATA, ENDED, HELLO, Link
from train.engine.workers.linked_team import LinkedTeam
from train.engine.workers.team import ALONE, Team
from train.support.errors import UserError

__all__ = ["WAIT_SECONDS", "join"]

WAIT_SECONDS = 300
"""Time that a process waits for the others [seconds]."""
_HELLO_SECONDS = 5
_HELLO_BYTES = 2**16
_PAUSE_SECONDS = 0.2
_SAME = "start the same command on every machine"


def join(cluster: Cluster | None, end: Callable[[str], None], wait: Callable[[str], None]) -> Team:
    """Returns the team of a run, once every process has connected.

    The chief listens at the port after its own, because TensorFlow uses its own.

    Args:
      cluster: The processes, or None for this one alone.
      end: See `LinkedTeam`.
      wait: Called with the processes for which this one waits, whenever they change, and with those
        that it refuses.

    Raises:
      UserError: A port is in use, or a process does not connect or was given another cluster.
    """
    if cluster is None:
        return ALONE
    _, port = cluster.place(cluster.index)
    _listen_at(port).close()  # Checks the port: TensorFlow's own message would say less.
    links = _meet(cluster, wait) if cluster.index == 0 else {0: _go_to_chief(cluster, wait)}
    return LinkedTeam(cluster, links, end)


def _listen_at(port: int) -> socket.socket:
    """A server socket for IPv4 and IPv6, or for IPv4 alone where IPv6 is switched off."""
    with contextlib.suppress(ValueError, OSError):
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    try:
        return socket.create_server(("", port))
    except OSError as error:
        raise UserError(
            f"cannot listen on port {port} ({os.strerror(error.errno)}): end the process that "
            "uses it, or give other ports"
        ) from None


def _meet(cluster: Cluster, wait: Callable[[str], None]) -> dict[int, Link]:
    """The chief's links to all others."""
    links: dict[int, Link] = {}
    names = ""
    deadline = time.monotonic() + WAIT_SECONDS
    with _listen_at(cluster.place(0)[1] + 1) as server:
        while missing := sorted(set(range(1, len(cluster.addresses))) - set(links)):
            before, names = names, ", ".join(map(cluster.name, missing))
            if names != before:
                wait(f"waiting for {names}")
            left = deadline - time.monotonic()
            if left <= 0:
                raise UserError(f"{names} did not join within {WAIT_SECONDS} seconds: {_SAME}")
            server.settimeout(min(left, 1))
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            link = Link(connection)
            index = _greet(cluster, link, links, wait)
            if index is not None:
                links[index] = link
    return links


def _greet(
    cluster: Cluster, link: Link, links: dict[int, Link], wait: Callable[[str], None]
) -> int | None:
    """The index of a process that has connected, or None if it does not belong to the run."""
    try:
        link.set_timeout(_HELLO_SECONDS)
        kind, body = link.receive(_HELLO_BYTES)
        hello = json.loads(body)
        addresses, index = tuple(hello["workers"]), hello["index"]
        # By its own list, which may be longer than the chief's.
        if kind != HELLO or index not in range(1, len(addresses)):
            raise ValueError(f"expected the number of a worker; got {index}")
        if addresses != cluster.addresses:
            refusal = f"expected the workers of the chief, {', '.join(cluster.addresses)}"
        elif index in links:
            refusal = f"{cluster.name(index)} has already joined: give every process its own number"
        else:
            link.send(DATA)
            link.set_timeout(None)
            return index
        wait(f"refused a process that was given {addresses[index]} as worker {index}: {refusal}")
        link.send(ENDED, refusal.encode())
    except (OSError, EOFError, ValueError, LookupError, TypeError):
        pass  # A stranger, which does not speak this protocol.
    link.close()
    return None


def _go_to_chief(cluster: Cluster, wait: Callable[[str], None]) -> Link:
    """A worker's link to the chief."""
    host, port = cluster.place(0)
    deadline = time.monotonic() + WAIT_SECONDS
    wait(f"waiting for {cluster.name(0)}")
    hello = json.dumps({"workers": cluster.addresses, "index": cluster.index}).encode()
    while True:
        try:
            link = Link(socket.create_connection((host, port + 1), timeout=_HELLO_SECONDS))
            try:
                link.set_timeout(_HELLO_SECONDS)
                link.send(HELLO, hello)
                kind, body = link.receive(_HELLO_BYTES)
                break
            except BaseException:
                link.close()
                raise
        except (OSError, EOFError, ValueError) as error:
            if time.monotonic() > deadline:
                raise UserError(
                    f"cannot reach {cluster.name(0)} at its port {port + 1} within {WAIT_SECONDS} "
                    f"seconds ({error}): {_SAME}"
                ) from None
            time.sleep(_PAUSE_SECONDS)
    if kind != DATA:
        link.close()
        raise UserError(f"the chief refuses this process: {body.decode(errors='replace')}")
    link.set_timeout(None)
    return link
