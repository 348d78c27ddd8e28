"""How many connections, or calls, there are, in all and of one client; which gives way to more."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Connection", "Connections"]


class Connection(Protocol):
    """What is known of a connection; over gRPC, of a call.

    Attributes:
      client: Address of the other end.
      is_at_work: Whether a whole request has come and its answer is not complete.
      since: When it last began to wait for its client, on a clock that all of them share [s].
    """

    client_address: str
    since: float

    @property
    def is_at_work(self) -> bool: ...

    def drop(self) -> None:
        """Closes it at once."""


class Connections:
    """The open connections.

    Where one more is one too many, the one that waits longest for its client is closed: of the
    same client if that has its share, else of the client that has most. So those who only hold
    connections, idle or slow, lock nobody out, not even from their own address.

    Args:
      most: Connections in all.
      most_of_one: Connections of one client, fewer.
    """

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most, self._most_of_one = most, most_of_one
        self._by_client: dict[str, set[Connection]] = {}
        self._total = 0

    def add(self, connection: Connection) -> bool:
        """Notes a new one; returns False, and does not, if all that could give way are at work."""
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
        """Forgets one, if it is there."""
        mine = self._by_client.get(connection.client_address, set())
        if connection in mine:
            mine.remove(connection)
            self._total -= 1
            if not mine:
                del self._by_client[connection.client_address]
