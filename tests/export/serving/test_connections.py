"""Connections as they are counted: who gives way to a new one."""

from __future__ import annotations

from export.serving.connections import Connections


class _Held:
    """A connection, as far as it is counted."""

    def __init__(self, client_address: str, since: float, is_at_work: bool = False) -> None:
        self.client_address, self.since, self.is_at_work = client_address, since, is_at_work
        self.is_dropped = False

    def drop(self) -> None:
        self.is_dropped = True


def test_who_gives_way() -> None:
    connections = Connections(most=5, most_of_one=3)
    busy, old, new = _Held("a", 0, is_at_work=True), _Held("a", 1), _Held("a", 2)
    other = _Held("b", 0)
    assert all(connections.add(one) for one in (busy, old, new, other))
    assert connections.add(_Held("a", 3)) and old.is_dropped  # Of a's three.
    assert connections.add(_Held("b", 4)) and not other.is_dropped
    assert connections.add(_Held("c", 5)) and new.is_dropped  # Of whoever has most.
    assert not (busy.is_dropped or other.is_dropped)
    connections.remove(other)
    connections.remove(other)
    assert connections.add(_Held("c", 6))
    full = Connections(most=2, most_of_one=1)
    assert full.add(_Held("a", 0, is_at_work=True))
    assert not full.add(_Held("a", 1)) and full.add(_Held("b", 2))


def test_nothing_is_kept_of_a_client_that_has_left() -> None:
    connections = Connections(most=5, most_of_one=3)
    held = [_Held(address, 0) for address in "aab"]
    assert all(map(connections.add, held))
    for one in held:
        connections.remove(one)
    assert not connections._by_client
