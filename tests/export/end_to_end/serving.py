"""An exported model in a server and in a session, and what both are asked."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from export.saving.warmup import play_warmup
from export.serving.local_server import LocalServer
from export.serving.servable import load_newest
from tests.exported import MAX_LENGTH, Served
from tests.local_servers import stub_of
from tests.served import PATIENCE, Http, predict_request

__all__ = ["ASKED", "Model", "check_generation", "serving"]

# Of every length from none to the longest and beyond it; 0 is the most probable.
ASKED = {
    "length": np.int32([5, MAX_LENGTH, 1, 0, MAX_LENGTH + 9]),
    "seed": np.array([3, 2**63 - 1, -4, 5, 6]),
    "temperature": np.float32([1.0, 0.5, 1.5, 1.0, 0.0]),
}
COLUMNS = {name: values.tolist() for name, values in ASKED.items()}
ROWS = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)]


class Model(NamedTuple):
    server: LocalServer
    session: Served
    http: Http


@contextmanager
def serving(path: Path) -> Iterator[Model]:
    """A version of an exported model, warmed up, in a server and in a session."""
    servable = load_newest(path.parent)
    signatures = {name for name in servable.signatures if not name.startswith("__")}
    assert play_warmup(servable, max_bytes=100_000) == len(signatures)
    server = LocalServer(servable)
    server.start()
    http = Http(server.rest_url)
    try:
        yield Model(server, Served(path), http)
    finally:
        http.close()
        server.stop()


def check_generation(model: Model, signature: str, outputs: list[str]) -> None:
    """Row by row, by column, over gRPC and alone: the outputs of the session, by name."""
    # `serving_default` is the same function.
    expected = model.session("generate", **ASKED)
    assert sorted(expected) == outputs
    assert expected["num_steps"].tolist() == [5, MAX_LENGTH, 1, 0, MAX_LENGTH]
    in_json = {name: [_in_json(name, value) for value in expected[name]] for name in expected}
    by_row = model.http.predict({"signature_name": signature, "instances": ROWS})
    assert by_row.json() == {
        "predictions": [
            dict(zip(in_json, row, strict=True)) for row in zip(*in_json.values(), strict=True)
        ]
    }
    by_column = model.http.predict({"signature_name": signature, "inputs": COLUMNS})
    assert by_column.json() == {"outputs": in_json}
    with stub_of(model.server) as stub:
        asked = predict_request(model.http.model, signature, **ASKED)
        over_grpc = stub.Predict(asked, timeout=PATIENCE).outputs
    assert {name: tf.make_ndarray(over_grpc[name]).tolist() for name in over_grpc} == {
        name: values.tolist() for name, values in expected.items()
    }
    # A row that is asked alone gets the same.
    for row, answer in zip(ROWS, by_row.json()["predictions"], strict=True):
        assert model.http.predict({"instances": [row]}).json() == {"predictions": [answer]}


def _in_json(name: str, value: bytes | np.int32) -> str | int | dict[str, str]:
    if name == "num_steps":
        return int(value)
    if name == "text":
        return value.decode()
    return {"b64": base64.b64encode(value).decode()}
