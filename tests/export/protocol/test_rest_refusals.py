"""What REST refuses, and its routes."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from tests.served import Http
from tests.served_model import row

NAN = math.nan


def _both(**more: Any) -> dict[str, Any]:
    return {"signature_name": "half", "instances": [1.0], **more}


BAD: dict[str, Any] = {
    "empty": b"",
    "no JSON": b"instances = [1]",
    "cut": b'{"instances": [1',
    "more after it": b'{"signature_name": "half", "instances": [1]}}',
    "trailing comma": b'{"signature_name": "half", "instances": [1,]}',
    "a list": [1, 2],
    "a string": "instances",
    "null": None,
    "neither form": {"signature_name": "half"},
    "both forms": _both(inputs=[1.0]),
    "signature is a number": _both(signature_name=5),
    "signature is null": _both(signature_name=None),
    "unknown signature": _both(signature_name="nothing"),
    "signature without inputs": _both(signature_name="__saved_model_init_op"),
    "no instances": _both(instances=[]),
    "instances are no list": _both(instances=1.0),
    "instances are an object": _both(instances={"x": 1.0}),
    "null instance": _both(instances=[None]),
    "string for a float": _both(instances=["1.0"]),
    "bool for a float": _both(instances=[True]),
    "base64 for a float": _both(instances=[{"b64": "AA=="}]),
    "float too big": _both(instances=[1e39]),
    "number too big": b'{"signature_name": "half", "instances": [1e999]}',
    "integer that a float rounds": _both(instances=[16777217]),
    "ragged": _both(instances=[[1.0], [1.0, 2.0]]),
    "mixed depth": _both(instances=[1.0, [1.0]]),
    "mixed depth, deeper first": _both(instances=[[1.0], 1.0]),
    "objects and values": _both(instances=[{"x": 1.0}, 1.0]),
    "values and objects": _both(instances=[1.0, {"x": 1.0}]),
    "wrong key": _both(instances=[{"z": 1.0}]),
    "key too many": _both(instances=[{"x": 1.0, "z": 1.0}]),
    "key missing in the second row": {"instances": [row(), {"length": 1, "seed": 1}]},
    "plain values for several inputs": {"instances": [1, 2]},
    "plain columns for several inputs": {"inputs": [1, 2]},
    "missing column": {"inputs": {"length": [1], "seed": [1]}},
    "float in an int field": {"instances": [row(length=5.0)]},
    "exponent in an int field": b'{"instances": [{"length": 5e0, "seed": 1, "temperature": 1}]}',
    "int32 too big": {"instances": [row(length=2**31)]},
    "int64 too big": {"instances": [row(seed=2**63)]},
    "bool in an int field": {"instances": [row(length=True)]},
    "string in an int field": {"instances": [row(length="5")]},
    "null in an int field": {"instances": [row(length=None)]},
    "NaN in an int field": {"instances": [row(length=NAN)]},
    "number for a string": {"signature_name": "score", "instances": [5]},
    "base64 with another key": {"signature_name": "score", "instances": [{"b64": "", "a": 1}]},
    "base64 that is none": {"signature_name": "score", "inputs": [{"b64": "?"}]},
    "base64 of a number": {"signature_name": "score", "inputs": [{"b64": 5}]},
    "number for a bool": {
        "signature_name": "types",
        "instances": [{"flag": 1, "point": [1, 2], "small": 1}],
    },
    "columns of unlike length in one list": {
        "signature_name": "types",
        "inputs": {"flag": [True], "point": [[1, 2], [1]], "small": [1]},
    },
    "row form of unlike batches": {"signature_name": "uneven", "instances": [1.0]},
    "row form of a scalar": {"signature_name": "total", "instances": [1.0]},
}


@pytest.mark.parametrize("case", BAD)
def test_refuses(http: Http, case: str) -> None:
    answer = http.predict(BAD[case])
    assert answer.status == 400, answer.body
    assert list(answer.json()) == ["error"] and answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "{model}", 200),
        ("GET", "{model}/versions/1", 200),
        ("GET", "{model}/metadata", 200),
        ("GET", "{model}/versions/1/metadata", 200),
        ("GET", "{model}/versions/2", 404),
        ("GET", "{model}/versions/2/metadata", 404),
        ("GET", "/v1/models/nobody", 404),
        ("GET", "/v1/models/nobody/metadata", 404),
        ("POST", "/v1/models/nobody:predict", 404),
        ("POST", "{model}/versions/2:predict", 404),
        ("POST", "{model}/versions/1:predict", 200),
        ("POST", "{model}:predict?a=b", 200),
        ("GET", "/v1/models", 400),
        ("POST", "/v1/models", 400),
        ("GET", "/v1/foo", 400),
        ("POST", "/v1/foo", 400),
        ("GET", "{model}:predict", 400),
        ("POST", "{model}", 400),
        ("POST", "{model}:guess", 400),
        ("POST", "{model}:", 400),
        ("POST", "{model}/version/1:predict", 400),
        ("POST", "{model}/versions/one:predict", 400),
        ("POST", "{model}/versions/18446744073709551615:predict", 400),
        ("PUT", "{model}:predict", 400),
        ("DELETE", "{model}", 400),
        ("GET", "/v2/models", 404),
        ("POST", "/index.html", 404),
    ],
)
def test_routes(http: Http, method: str, path: str, status: int) -> None:
    body = json.dumps({"instances": [row()]}).encode() if method == "POST" else None
    answer = http.ask(method, path.format(model=http.path), body)
    assert answer.status == status, answer.body


def test_bad_json_is_found_before_a_wrong_name(http: Http) -> None:
    assert http.ask("POST", "/v1/models/nobody:predict", b"{").status == 400
