"""Processes of a run that talk to each other, here as threads: no TensorFlow has a part in it."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.worker_processes import free_addresses
from tf_latentflow.terms import Terms
from train.engine.buckets import Batch, Buckets
from train.engine.evaluation import evaluate
from train.engine.workers.checkpoints import TeamCheckpoints
from train.engine.workers.cluster import Cluster
from train.engine.workers.joining import join
from train.engine.workers.team import ALONE, Disagreement, Team
from train.support.errors import UserError

SECONDS = 30  # A busy machine is no failure.


class Processes:
    """The teams of a run, by index, and the lines with which each would have ended."""

    def __init__(self, addresses: tuple[str, ...]) -> None:
        self.addresses = addresses
        self.lines: list[queue.SimpleQueue[str]] = [queue.SimpleQueue() for _ in addresses]
        self.pool = ThreadPoolExecutor(len(addresses))
        self.teams = self.in_all(self._join, range(len(addresses)))

    def _join(self, index: int) -> Team:
        time.sleep(0.3 if index == 1 else 0)  # They join in another order than that of the parts.
        return join(Cluster(self.addresses, index), self.lines[index].put, lambda what: None)

    def in_all(self, function: Callable[[Any], Any], values: Any) -> list[Any]:
        """What a function gives for each value, all at the same time."""
        return list(self.pool.map(function, values, timeout=SECONDS))


@pytest.fixture
def three() -> Iterator[Processes]:
    processes = Processes(free_addresses(3))
    yield processes
    processes.in_all(lambda team: team.__exit__(SystemExit, SystemExit(), None), processes.teams)
    assert all(lines.empty() for lines in processes.lines)


@contextlib.contextmanager
def raised_in(team: Team, error: BaseException) -> Iterator[None]:
    with pytest.raises(type(error)), team:
        yield
        raise error


def test_alone_nothing_is_sent() -> None:
    assert join(None, print, print) is ALONE
    assert ALONE.is_chief and ALONE.from_chief({"a": [1, None]}) == {"a": [1, None]}
    np.testing.assert_array_equal(ALONE.total(np.ones([2, 3])), np.ones([2, 3]))
    ALONE.agree({"seed": 1})
    with ALONE:
        pass


def test_everyone_gets_what_the_chief_makes_of_all_parts(three: Processes) -> None:
    def talk(team: Team) -> tuple[Any, ...]:
        joined = team.exchange(str(team.index).encode(), b"-".join)
        values = np.array([[0.25, 1.0], [team.index, 2.0**70]])
        return joined, team.from_chief([team.index, "é"]), team.total(values).tolist()

    total = [[0.75, 3.0], [3.0, 3 * 2.0**70]]
    assert three.in_all(talk, three.teams) == [(b"0-1-2", [0, "é"], total)] * 3
    assert [team.is_chief for team in three.teams] == [True, False, False]
    big = bytes(3_000_000)
    assert three.in_all(lambda team: team.exchange(big, b"".join), three.teams) == [3 * big] * 3


def test_who_differs_from_the_chief_is_named_in_every_process(three: Processes) -> None:
    facts = {"train": {"seed": 3, "batch_size": 8}, "dataset_sha256": "00", "dataset": "/a/b"}
    moved = {**facts, "dataset": "/c/d"}
    three.in_all(lambda team: team.agree(moved if team.index else facts), three.teams)
    other = {**facts, "train": {"seed": 4, "batch_size": 8}, "dataset_sha256": "01"}

    def refused(team: Team) -> str:
        with pytest.raises(Disagreement) as raised:
            team.agree(other if team.index == 2 else facts)
        return str(raised.value)

    (line,) = set(three.in_all(refused, three.teams))
    assert line == (
        f"worker 2 ({three.addresses[2]}) differs from the chief: seed is 4, not 3; other data; "
        "start all with the same flags, data and version"
    )


def test_an_evaluation_is_shared_and_gives_the_same_bits(three: Processes) -> None:
    sequences = [np.full([t], i, np.int32) for i, t in enumerate((3, 1, 4, 1, 5, 2, 6, 5, 3))]
    computed: list[int] = []

    def shared(team: Team) -> tuple[Any, list[tuple[int, int]]]:
        def start(batch: Batch) -> Terms:
            computed.extend(batch.index[batch.index >= 0].tolist())
            value = 0.1 * batch.x[:, 0] - 0.7 * batch.lengths
            return Terms(value, value / 3, value - 1)

        told: list[tuple[int, int]] = []
        result = evaluate(
            sequences,
            Buckets((2, 4, 6), 2),
            start,
            lambda lengths: -0.1 * lengths,
            progress=lambda *done: told.append(done),
            team=team,
        )
        return result, told

    alone, _ = shared(ALONE)
    assert sorted(computed) == list(range(9))
    computed.clear()
    for result, told in three.in_all(shared, three.teams):
        np.testing.assert_array_equal(result.terms, alone.terms)
        np.testing.assert_array_equal(result.log_length, alone.log_length)
        assert told[-1][0] == told[-1][1] < 9
    assert sorted(computed) == list(range(9))  # Each once.


def test_the_chief_alone_writes_checkpoints_and_all_read_them(
    three: Processes, tmp_path: Path
) -> None:
    stores = [
        TeamCheckpoints(tmp_path / str(team.index), team, lambda line: None) for team in three.teams
    ]
    assert three.in_all(lambda store: store.newest(), stores) == [None] * 3
    for store in stores:
        store.save(4, {"step": 4}, lambda folder: (folder / "data").write_bytes(b"\x00weights"))
    assert [path.name for path in tmp_path.iterdir()] == ["0"]
    assert stores[1].steps == []
    found = three.in_all(lambda store: store.newest(), stores)
    folders = [folder for folder, _ in found]
    assert len(set(folders)) == 3
    assert [state for _, state in found] == [{"step": 4}] * 3
    assert {(folder / "data").read_bytes() for folder in folders} == {b"\x00weights"}
    for store in stores:
        store.save(8, {"step": 8}, lambda folder: None)
    assert [folder.exists() for folder in folders] == [True, False, False]


def test_a_checkpoint_from_the_chief_stays_in_its_folder(tmp_path: Path) -> None:
    class Other(Team):
        index, size = 1, 2

        def from_chief(self, value: Any) -> Any:
            return {"names": ["../outside"], "state": {}}

        def exchange(self, part: bytes, combine: Callable[..., Any]) -> bytes:
            return b"content"

    store = TeamCheckpoints(tmp_path, Other(), print)
    folder, _ = store.newest()
    assert [path.name for path in folder.iterdir()] == ["outside"]


@pytest.mark.parametrize("lost", [0, 2])
def test_one_that_is_lost_ends_all(lost: int) -> None:
    processes = Processes(free_addresses(3))
    processes.teams[lost]._over = True  # A killed process does not tell one of the end of another.
    for link in processes.teams[lost]._links.values():
        link._socket.shutdown(socket.SHUT_RDWR)  # As the system does when it kills a process.
    who = "the chief" if lost == 0 else "worker 2"
    line = (
        f"{who} ({processes.addresses[lost]}) has ended; the same command on every machine "
        "resumes from the last checkpoint"
    )
    others = [lines for i, lines in enumerate(processes.lines) if i != lost]
    assert [lines.get(timeout=SECONDS) for lines in others] == [line] * 2
    assert all(lines.empty() for lines in others)  # Once.


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (UserError("no space left: free some"), "no space left: free some"),
        (KeyboardInterrupt(), "interrupted; the same command on every machine resumes"),
    ],
)
def test_one_that_ends_says_why(error: BaseException, reason: str) -> None:
    processes = Processes(free_addresses(3))
    with raised_in(processes.teams[1], error):
        pass
    for index in (0, 2):
        line = processes.lines[index].get(timeout=SECONDS)
        name = processes.teams[0].cluster.name(1)
        assert line.startswith(f"{name} has ended: {reason}")
        assert ("the same command" in line) == ("the same command" in reason)
    assert processes.lines[1].empty()


def test_a_block_ends_when_all_have_ended() -> None:
    processes = Processes(free_addresses(2))
    chief, worker = processes.teams
    ended = threading.Event()

    def end(team: Team) -> None:
        with team:
            pass
        ended.set()

    waiting = processes.pool.submit(end, worker)
    assert not ended.wait(0.2)
    with chief:
        pass
    waiting.result(SECONDS)
    assert all(lines.empty() for lines in processes.lines)
