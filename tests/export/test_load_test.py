"""The load test of a server, with a model whose answers are known."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest

from export import load_test
from export.serving.local_server import LocalServer
from tests.local_servers import running
from tests.served import Http
from tests.served_model import write_model
from train.support.errors import UserError


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with running(write_model(tmp_path_factory.mktemp("served") / "cases")) as server:
        yield server


def test_as_many_requests_as_were_ordered(
    server: LocalServer, capsys: pytest.CaptureFixture[str]
) -> None:
    args = [
        "--url",
        server.rest_url + "/",
        "--clients",
        "2",
        "--requests",
        "30",
        "--max-length",
        "9",
    ]
    load_test.main([*args, "--signatures", "generate", "score", "--pid", str(os.getpid())])
    out = capsys.readouterr().out
    assert re.match(r"30 answers  \d+ MiB\n30 answers, 0 errors, ", out)
    metrics = Http(server.rest_url).ask("GET", "/metrics").body.decode()
    num = re.findall(r'requests_total{.*signature="(?:generate|score)".*} (\S+)', metrics)
    assert len(num) == 2 and sum(map(float, num)) == 30


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--signatures"], "--signatures expects generate, .*; got none"),
        (["--requests", "0"], "--requests expects a number above 0; got 0"),
        (["--signatures", "sing"], "--signatures expects generate, complete, .*; got sing"),
        (["--signatures", "complete"], "has no signature 'complete'"),
        (["--pid", "0"], "--pid expects a process of this machine"),
    ],
)
def test_what_it_refuses(server: LocalServer, flags: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_test.main(["--url", server.rest_url, *flags])
