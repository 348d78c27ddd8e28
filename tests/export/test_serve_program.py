"""The program that serves: what it prints, how it ends, what it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from export import serve
from export.saving.cached_export import _digest, cached_export
from export.saving.warmup import write_warmup
from export.serving.listening import check_ports
from export.serving.local_server import LocalServer, is_loopback
from export.serving.servable import load_newest
from tests.exported import CHARACTERS
from tests.local_servers import running
from tests.models import make_model
from tests.paths import ROOT
from tests.served import PATIENCE, Http, predict_request
from tests.served_model import HALF, write_model
from tf_latentflow.pretrained.card import Card
from tf_latentflow.pretrained.names import find_pretrained
from train.support.errors import UserError


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = write_model(tmp_path_factory.mktemp("served") / "cases", version=3)
    write_warmup(base / "3", [predict_request("cases", "half", x=np.float32([1]))] * 2)
    return base


@contextmanager
def _served(model: Path, *flags: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "export.serve", "--model-base-path", str(model)]
    with subprocess.Popen(
        [*command, "--rest-port", "0", "--grpc-port", "0", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("TF_CPP")},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    "flags",
    [pytest.param((), id=""), pytest.param(("--quiet",), id="quiet", marks=pytest.mark.nightly)],
)
def test_the_program(model: Path, flags: tuple[str, ...]) -> None:
    with _served(model, *flags, "--max-rows", "2", "--cors-origin", "https://a.org") as process:
        lines = [process.stdout.readline() for _ in range(4)]
        assert "cases, version 3" in lines[0] and "a stand-in for TF Serving" in lines[0]
        url = lines[1].split()[1]
        assert url.startswith("http://127.0.0.1:")
        assert lines[3].split() == ["page", url.partition("v1/")[0]]
        http = Http(url)
        assert http.predict(HALF).json() == {"predictions": [0.5]}
        assert http.predict({**HALF, "instances": [1.0] * 3}).status == 400
        http.close()
        with grpc.insecure_channel(lines[2].split()[1]) as channel:
            request = predict_request("cases", "half", x=np.float32([1]))
            answer = PredictionServiceStub(channel).Predict(request, timeout=PATIENCE)
        assert list(answer.outputs["y"].float_val) == [0.5]
        process.terminate()
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (0, "")
    said = ["loading TensorFlow", "loading the newest version in ", "loaded version 3"]
    said += ["warm-up request 1 of 2 (half)", "warm-up request 2 of 2 (half)"]
    said += [" predict half 200 ", " predict half 400 ", " gRPC Predict half OK "]
    lines = err.replace("POST /v1/models/cases:", "").splitlines()
    if flags:
        assert not lines
    else:
        assert len(lines) == len(said)
        assert all(part in line for part, line in zip(said, lines, strict=True)), err


def _said_without_tensorflow(flags: list[str]) -> str:
    """How the program refuses flags, in a process in which TensorFlow cannot be imported."""
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "from export import serve; from train.support.errors import run_program\n"
        f"run_program(lambda: serve.main({flags}))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    return line


@pytest.fixture
def taken(model: Path) -> Iterator[tuple[str, str]]:
    """Ports that another server has."""
    with running(model) as server:
        yield str(server.rest_port), str(server.grpc_port)


def test_what_the_program_refuses(tmp_path: Path, model: Path, taken: tuple[str, str]) -> None:
    broken = tmp_path / "broken"
    (broken / "1").mkdir(parents=True)
    (broken / "1" / "saved_model.pb").write_bytes(b"\xff\xffno")
    damaged = write_model(tmp_path / "damaged")
    write_warmup(damaged / "1", [predict_request("damaged", "nothing")])
    empty = tmp_path / "empty"
    empty.mkdir()
    taken_rest, taken_grpc = taken
    for base, flags, message in [
        (tmp_path / "none", [], "expects a folder"),
        (empty, [], "has none: export a model there"),
        (model / "3", [], f"has none: give {str(model)!r}"),
        (broken.parent, [], f"has none: give {str(broken)!r}"),
        (broken, [], "cannot load"),
        (model, ["--rest-port", "70000"], "--rest-port"),
        (model, ["--rest-port", "5", "--grpc-port", "5"], "two ports"),
        (model, ["--max-requests", "0"], "--max-requests"),
        (model, ["--max-requests", "2000000000"], "--max-requests expects a number from 1 to 1000"),
        (model, ["--max-body-mib", "2048"], "--max-body-mib expects .* below 2048; got 2048"),
        (model, ["--max-rows", "0"], "--max-rows"),
        (model, ["--cors-origin", "example.org"], "--cors-origin"),
        (model, ["--cors-origin", "https://a.org/"], "--cors-origin"),
        (damaged, ["--rest-port", "0", "--grpc-port", "0"], "warm-up request 1"),
        (model, ["--timeout", "nan"], "--timeout"),
        (model, ["--max-body-mib", "-1"], "--max-body-mib"),
        (model, ["--rest-port", taken_rest, "--grpc-port", "0"], "in use"),
        (model, ["--rest-port", "0", "--grpc-port", taken_grpc], "in use.* or --grpc-port"),
        (model, ["--host", "192.0.2.1", "--rest-port", "0", "--grpc-port", "0"], "--host"),
    ]:
        with pytest.raises(UserError, match=message):
            serve.main(["--model-base-path", str(base), *flags])


def test_a_port_is_refused_before_anything_is_loaded(taken: tuple[str, str]) -> None:
    rest, grpc = taken
    for flags in (["--rest-port", rest], ["--rest-port", "0", "--grpc-port", grpc]):
        assert _said_without_tensorflow(["--pretrained", "chorales", *flags]).endswith(
            f"choose another --host or {flags[-2]}"
        )


def test_a_wrong_path_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    for base, message in (
        (tmp_path / "none", "there is none at"),
        (tmp_path, "has none: export a model there"),
    ):
        assert message in _said_without_tensorflow(["--model-base-path", str(base)])


def test_a_port_of_an_ended_server_is_free(model: Path) -> None:
    with running(model) as server:
        ports = server.rest_port, server.grpc_port
        http = Http(server.rest_url)
        assert http.predict(HALF).status == 200
    http.close()  # The server has closed first, so that its side of the connection lingers.
    check_ports("127.0.0.1", *ports)
    with running(model, rest_port=ports[0], grpc_port=ports[1]) as server:
        assert server.rest_port == ports[0]


def test_a_port_that_is_taken_in_the_meantime(model: Path, taken: tuple[str, str]) -> None:
    servable = load_newest(model)
    with pytest.raises(UserError, match="the port is in use, or .* or --grpc-port"):
        LocalServer(servable, grpc_port=int(taken[1]))
    servable.close()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "got none"),
        (["--model-base-path", "x", "--pretrained", "chorales"], "got both"),
        (["--pretrained", "choral"], "did you mean chorales"),
    ],
)
def test_a_model_is_named_in_one_way(flags: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        serve.main(flags)


def test_no_address_is_not_every_address() -> None:
    with pytest.raises(UserError, match="--host expects an address of this machine; got ''"):
        serve.main(["--pretrained", "chorales", "--host", ""])


@pytest.mark.nightly
def test_a_pretrained_model_is_exported_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    fields = {"vocabulary": CHARACTERS, "vocab_size": len(CHARACTERS) + 2}
    make_model("lstm", **fields).save_pretrained(tmp_path / "mine", Card(name="mine"))
    found, said = find_pretrained(tmp_path / "mine"), []
    base = cached_export(found, said.append)
    assert base.name == "mine" and (tmp_path / "cache") in base.parents
    assert said[0].startswith("exporting this model") and "tracing generate" in said
    servable = load_newest(base)
    assert servable.signatures.keys() >= {"generate", "describe"}
    servable.close()
    said.clear()
    assert cached_export(found, said.append) == base and not said
    # Other weights are another export.
    make_model("lstm", 0.2, **fields).save_pretrained(tmp_path / "mine", Card(name="mine"))
    other = _digest(find_pretrained(tmp_path / "mine"))
    assert other != _digest(found)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) == expected
