"""Processes of a run that talk to each other, here as threads: no TensorFlow has a part in it."""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.worker_processes import free_addresses
from tf_latentflow.terms import Terms
from train.engine.buckets import Batch
from train.engine.evaluation import evaluate
from train.engine.workers import joining
from train.engine.workers.checkpoints import TeamCheckpoints
from train.engine.workers.cluster import Cluster, find_cluster
from train.engine.workers.joining import join
from train.engine.workers.link import LOST_SECONDS, Link
from train.engine.workers.team import ALONE, Disagreement, Team
from train.support.errors import UserError

SECONDS = 30  # A busy machine is no failure.
ADDRESSES = ("a:2222", "b:2222", "c:2223")


class Processes:
    """The teams of a run, by index, and the lines with which each would have ended."""

    def __init__(self, addresses: tuple[str, ...]) -> None:
        self.addresses = addresses
        self.lines: list[queue.SimpleQueue[str]] = [queue.SimpleQueue() for _ in addresses]
        self.pool = ThreadPoolExecutor(len(addresses))
        self.teams = self.in_all(self._join, range(len(addresses)))

    def _join(self, index: int) -> Team:
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
        f"worker 2 ({three.addresses[2]}) differs from the chief: seed is 3, not 4; other data; "
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
            (2, 4, 6),
            start,
            lambda lengths: -0.1 * lengths,
            batch_size=2,
            max_batch_steps=0,
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


@pytest.mark.parametrize("lost", [0, 2])
def test_one_that_is_lost_ends_all(lost: int) -> None:
    processes = Processes(free_addresses(3))
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
        (UserError("no space left"), "no space left"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_one_that_ends_says_why(error: BaseException, reason: str) -> None:
    processes = Processes(free_addresses(3))
    with raised_in(processes.teams[1], error):
        pass
    for index in (0, 2):
        line = processes.lines[index].get(timeout=SECONDS)
        name = processes.teams[0].cluster.name(1)
        assert line.startswith(f"{name} has ended: {reason}; the same command")
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


def test_strangers_and_wrong_numbers_do_not_join(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "_HELLO_SECONDS", 0.3)
    addresses = free_addresses(2)
    port = int(addresses[0].rpartition(":")[2]) + 1
    with ThreadPoolExecutor(1) as pool:
        chief = pool.submit(join, Cluster(addresses, 0), print, lambda what: None)
        bodies = [b"{}", b"[1]", b"{", json.dumps({"workers": addresses, "index": 9}).encode()]
        messages = [b"h" + len(body).to_bytes(8, "big") + body for body in bodies]
        for greeting in (b"", b"GET / HTTP/1.1\r\n\r\n", b"h" + bytes([255] * 8), b"h", *messages):
            with _connected(port) as stranger:
                stranger.sendall(greeting)
        with pytest.raises(UserError, match="refuses this process: expected the workers of the chief, 127"):
            join(Cluster((addresses[0], "127.0.0.1:1"), 1), print, lambda what: None)
        worker = join(Cluster(addresses, 1), print, lambda what: None)
        teams = chief.result(SECONDS), worker
    for team in teams:
        team.__exit__(SystemExit, SystemExit(), None)


def test_two_of_one_number_do_not_join() -> None:
    addresses = free_addresses(3)
    with ThreadPoolExecutor(2) as pool:
        joined = [
            pool.submit(join, Cluster(addresses, index), print, lambda what: None)
            for index in (0, 1)
        ]
        joined[1].result(SECONDS)
        with pytest.raises(UserError, match=r"worker 1 .* has already joined: give every process"):
            join(Cluster(addresses, 1), print, lambda what: None)
        teams = [join(Cluster(addresses, 2), print, lambda what: None)]
        teams += [each.result(SECONDS) for each in joined]
    for team in teams:
        team.__exit__(SystemExit, SystemExit(), None)


def _connected(port: int) -> socket.socket:
    for _ in range(100):
        with contextlib.suppress(ConnectionError):
            return socket.create_connection(("127.0.0.1", port))
        threading.Event().wait(0.05)
    raise ConnectionError(port)


@pytest.mark.parametrize(("index", "says"), [(0, "worker 1"), (1, "cannot reach the chief")])
def test_waiting_has_an_end(index: int, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "WAIT_SECONDS", 0.3)
    addresses = free_addresses(2)
    with pytest.raises(UserError, match=f"{says}.* within 0.3 sec.*: start the same command"):
        join(Cluster(addresses, index), print, lambda what: None)


def test_a_port_in_use_is_refused() -> None:
    addresses = free_addresses(2)
    port = int(addresses[1].rpartition(":")[2])
    with (
        socket.create_server(("", port)),
        pytest.raises(UserError, match=f"cannot listen at port {port} .*Address already in use"),
    ):
        join(Cluster(addresses, 1), print, lambda what: None)


def test_the_system_asks_a_silent_machine_for_a_sign_of_life() -> None:
    with socket.socket() as plain:
        link = Link(plain)
        option = link._socket.getsockopt
        assert option(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        idle, interval, probes = (
            option(socket.IPPROTO_TCP, getattr(socket, f"TCP_KEEP{name}"))
            for name in ("IDLE", "INTVL", "CNT")
        )
    assert idle + interval * probes == LOST_SECONDS


def tf_config(cluster: Any, kind: str = "worker", index: Any = 0) -> dict[str, str]:
    task = {"type": kind, "index": index}
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})}


@pytest.mark.parametrize(
    ("workers", "index", "environment", "expected"),
    [
        (None, None, {}, None),
        (None, None, {"TF_CONFIG": " "}, None),
        (None, None, {"TF_CONFIG": "{}"}, None),
        (None, None, tf_config({"chief": ["a:1"]}, "chief"), None),
        ("a:1", 0, {}, None),
        ("a:2222, b:2222,c:2223", 2, tf_config({"worker": ["x:1", "y:1"]}), (ADDRESSES, 2)),
        (None, None, tf_config({"worker": ADDRESSES}, index=1), (ADDRESSES, 1)),
        (None, None, tf_config({"worker": ADDRESSES}, index="2"), (ADDRESSES, 2)),
        (
            *(None, None, tf_config({"worker": ADDRESSES[1:], "chief": ADDRESSES[:1]}, index=1)),
            (ADDRESSES, 2),
        ),
        (
            *(None, None),
            tf_config({"chief": ADDRESSES[:1], "worker": ADDRESSES[1:]}, "chief"),
            (ADDRESSES, 0),
        ),
    ],
)
def test_cluster(
    workers: str | None,
    index: int | None,
    environment: dict[str, str],
    expected: tuple[tuple[str, ...], int] | None,
) -> None:
    assert find_cluster(workers, index, environment) == expected


def test_places() -> None:
    cluster = Cluster(("[::1]:2222", "b.example:70"), 0)
    assert [cluster.place(i) for i in (0, 1)] == [("::1", 2222), ("b.example", 70)]


@pytest.mark.parametrize(
    ("workers", "index", "environment", "says"),
    [
        ("a:1,b:1", None, {}, "--workers expects --task too, 0 to 1"),
        (None, 1, {}, "--task expects --workers too"),
        ("a:1,b:1", 2, {}, "--task expects a number from 0 to 1; got 2"),
        ("a:1,b:1", -1, {}, "got -1"),
        ("a:1,b", 0, {}, "HOST:PORT,HOST:PORT,...; got 'b'"),
        ("a:1,b:65535", 0, {}, "got 'b:65535'"),
        ("a:1,:2", 0, {}, "got ':2'"),
        ("a:1,a:1", 0, {}, "every address once"),
        (None, None, {"TF_CONFIG": "{"}, "TF_CONFIG expects JSON"),
        (None, None, {"TF_CONFIG": "[1]"}, "TF_CONFIG expects JSON"),
        (None, None, {"TF_CONFIG": '{"cluster": {"worker": ["a:1"]}}'}, "TF_CONFIG expects JSON"),
        (None, None, tf_config({"worker": ["a:1", "b:1"]}, index=2), "got worker 2"),
        (None, None, tf_config({"worker": ["a:1", "b:1"]}, index=-1), "got -1"),
        (None, None, tf_config({"worker": ["a:1"], "ps": ["b:1"]}), "got ps"),
        (None, None, tf_config({"worker": ["a:1", "b"]}), "TF_CONFIG expects .*; got 'b'"),
    ],
)
def test_what_is_no_cluster(
    workers: str | None, index: int | None, environment: dict[str, str], says: str
) -> None:
    with pytest.raises(UserError, match=says):
        find_cluster(workers, index, environment)
