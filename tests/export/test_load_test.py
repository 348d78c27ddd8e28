"""The load test of a server, with a model whose answers are known."""

from __future__ import annotations

import os
import re

import pytest

from export import load_test
from export.serving.local_server import LocalServer
from tests.served import Http
from train.support.errors import UserError


def test_as_many_requests_as_were_ordered(
    server: LocalServer, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = f"--url {server.rest_url}/ --clients 2 --requests 30 --max-length 9 --pid {os.getpid()}"
    load_test.main([*flags.split(), "--signatures", "generate", "score"])
    out = capsys.readouterr().out
    assert re.match(r"30 answers  \d+ MiB\n30 answers, 0 errors, ", out)
    assert re.search(r" [1-9]\d* steps/s", out)
    metrics = Http(server.rest_url).ask("GET", "/metrics").body.decode()
    num = re.findall(r'requests_total{.*signature="(?:generate|score)".*} (\S+)', metrics)
    assert len(num) == 2 and sum(map(float, num)) == 30


def test_every_client_and_seed_asks_for_other_sequences() -> None:
    rows = []
    for seed, index in ((0, 0), (0, 1), (1, 0)):
        config = load_test.LoadTestConfig("http://x", seed=seed, max_length=9)
        client = load_test._Client(config, index, 0, iter(()))
        rows.append(client._row("generate"))
        client._generated = {"text": "abcdefgh", "num_steps": 8}
        assert client._row("complete")["length"] == 9  # Longer than what is given.
    assert len({row["seed"] for row in rows}) == 3


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--signatures"], "--signatures expects generate, .*; got none"),
        (["--requests", "0"], "--requests expects a number above 0; got 0"),
        (["--signatures", "complete"], "has no signature 'complete'"),
        (["--pid", "0"], "--pid expects a process of this machine"),
    ],
)
def test_what_it_refuses(server: LocalServer, flags: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_test.main(["--url", server.rest_url, *flags])
