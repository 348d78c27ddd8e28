"""Limits the number of connections or calls, in total and per client."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Connection", "Connections"]


class Connection(Protocol):
    """A connection; over gRPC, a call.

    Attributes:
      client_address: Address of the client.
      is_at_work: Whether a complete request has arrived and its answer is not complete.
      since: When it last began to wait for its client, on a clock shared by all of them [s].
    """

    client_address: str
    since: float

    @property
    def is_at_work(self) -> bool: ...

    def drop(self) -> None:
        """Closes the connection at once."""


class Connections:
    """The open connections.

    If a new connection exceeds a limit, the connection that has waited longest for its client is
    closed: one of the same client if that has reached its limit, otherwise one of the client with
    the most connections. Clients with many idle or slow connections therefore lock nobody out.

    Args:
      most: Maximum number of connections.
      most_of_one: Maximum number of connections per client, less than `most`.
    """

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most, self._most_of_one = most, most_of_one
        self._by_client: dict[str, set[Connection]] = {}
        self._total = 0

    def add(self, connection: Connection) -> bool:
        """Adds a connection; returns False if no other can be closed because all are at work."""
        mine = self._by_client.get(connection.client_address, set())
        crowded = None
        if len(mine) >= self._most_of_one:
            crowded = mine
        elif self._total >= self._most:
            crowded = max(self._by_client.values(), key=len)
        if crowded is not None:
            waiting = [other for other in crowded if not other.is_at_work]
            if not waiting:
                return False
            longest = min(waiting, key=lambda other: other.since)
            self.remove(longest)
            longest.drop()
        self._by_client.setdefault(connection.client_address, set()).add(connection)
        self._total += 1
        return True

    def remove(self, connection: Connection) -> None:
        """Removes a connection, if it is there."""
        mine = self._by_client.get(connection.client_address, set())
        if connection in mine:
            mine.remove(connection)
            self._total -= 1
            if not mine:
                del self._by_client[connection.client_address]
