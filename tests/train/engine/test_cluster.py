"""The processes of a run, from flags or from `TF_CONFIG`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from train.engine.workers.cluster import Cluster, find_cluster
from train.support.errors import UserError

ADDRESSES = ("a:2222", "b:2222", "c:2223")


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
        ("a:1,b:1", None, {}, "--workers expects --worker-index too, 0 to 1"),
        (None, 1, {}, "--worker-index expects --workers too"),
        ("a:1,b:1", 2, {}, "--worker-index expects a number from 0 to 1; got 2"),
        ("a:1,b:1", -1, {}, "got -1"),
        ("a:1,b", 0, {}, "HOST:PORT,HOST:PORT,...; got 'b'"),
        ("a:1,b:65535", 0, {}, "got 'b:65535'"),
        ("a:1,b:0", 0, {}, "got 'b:0'"),
        ("a:1,a:2", 0, {}, "the chief needs a:2 itself"),
        ("a:1,:2", 0, {}, "got ':2'"),
        ("a:1,a:1", 0, {}, "every address once"),
        (None, None, {"TF_CONFIG": "{"}, "TF_CONFIG expects JSON"),
        (None, None, {"TF_CONFIG": "[1]"}, "TF_CONFIG expects JSON"),
        (None, None, {"TF_CONFIG": '{"cluster": {"worker": ["a:1"]}}'}, "TF_CONFIG expects JSON"),
        (None, None, tf_config({"worker": ["a:1", "b:1"]}, index=2), "got worker 2"),
        (None, None, tf_config({"chief": ["a:1"], "worker": ["b:1"]}, index=-1), "got -1"),
        (None, None, tf_config({"worker": ["a:1"], "ps": ["b:1"]}), "got ps"),
        (None, None, tf_config({"worker": ["a:1", "b"]}), "TF_CONFIG expects .*; got 'b'"),
    ],
)
def test_what_is_no_cluster(
    workers: str | None, index: int | None, environment: dict[str, str], says: str
) -> None:
    with pytest.raises(UserError, match=says):
        find_cluster(workers, index, environment)
