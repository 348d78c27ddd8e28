"""What REST answers: values in both forms, status, metadata."""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.served import Http
from tests.served_model import ROW_ANSWER, WORDS, row

NAN, INF = math.nan, math.inf

# Signature, the form's key and value, and the answer's key and value.
GOOD = [
    ("serving_default", "instances", [row()], "predictions", [ROW_ANSWER]),
    ("generate", "instances", [row(), row()], "predictions", [ROW_ANSWER] * 2),
    (
        "generate",
        "inputs",
        {"length": [3], "seed": [7], "temperature": [0.5]},
        "outputs",
        {name: [value] for name, value in ROW_ANSWER.items()},
    ),
    # Names that the signature does not have are ignored in columnar form.
    ("half", "inputs", {"x": [1], "y": "z"}, "outputs", [0.5]),
    # A single input or output may drop its name, or not.
    ("look_up", "instances", [WORDS[1], "x"], "predictions", [1, -1]),
    ("look_up", "instances", [{"word": WORDS[1]}], "predictions", [1]),
    ("look_up", "inputs", [WORDS[2]], "outputs", [2]),
    ("look_up", "inputs", {"word": [WORDS[2]]}, "outputs", [2]),
    # No rows.
    ("look_up", "inputs", [], "outputs", []),
    ("generate", "inputs", row([], [], []), "outputs", {"text": [], "num_steps": []}),
    # Strings are text or base64, and base64 comes back where the name ends in _bytes.
    ("look_up", "instances", [{"b64": "dGVh"}], "predictions", [0]),
    ("look_up", "instances", [{"word": {"b64": "dGVh"}}], "predictions", [0]),
    ("look_up", "inputs", [{"b64": "dGVh"}, "tea"], "outputs", [0, 0]),
    ("look_up", "inputs", [{"b64": "bWlsaw=="}, {"b64": "bWlsaw"}], "outputs", [1, 1]),
    ("add_bytes", "instances", ["hi"], "predictions", [{"b64": "aGn/AA=="}]),
    ("add_bytes", "inputs", [{"b64": "/w=="}], "outputs", [{"b64": "//8A"}]),
    # Whole numbers and decimals.
    ("half", "instances", [1, 3.0, -5e-1, 0], "predictions", [0.5, 1.5, -0.25, 0.0]),
    ("half", "instances", [NAN, INF, -INF], "predictions", [NAN, INF, -INF]),
    ("half", "instances", [16777215, 0.4], "predictions", [8388607.5, 0.2]),
    ("half", "instances", [10**20], "predictions", [5e19]),  # Beyond 64 bits it is a float.
    ("generate", "instances", [row(seed=2**63 - 1)], "predictions", ...),
    ("generate", "instances", [row(length=-(2**31))], "predictions", ...),
    (
        "types",
        "instances",
        [{"flag": True, "point": [0.1, 2], "small": 255}],
        "predictions",
        [{"not_flag": False, "sum": 2.1, "small": 255}],
    ),
    ("score", "instances", ["\N{SNOWMAN}"], "predictions", ...),
    (
        "score",
        "instances",
        ["", "\N{SNOWMAN}\N{GRINNING FACE}"],
        "predictions",
        [
            {"log_likelihood": NAN, "num_characters": 0},
            {"log_likelihood": -0.4, "num_characters": 2},
        ],
    ),
    # Columnar outputs need not agree in their number of rows.
    ("uneven", "inputs", [1.0], "outputs", {"once": [1.0], "twice": [1.0, 1.0]}),
    ("total", "inputs", [1.0, 2.0], "outputs", 3.0),
]


@pytest.mark.parametrize(("signature", "form", "value", "answer_form", "answer"), GOOD)
def test_answers(
    http: Http, signature: str, form: str, value: Any, answer_form: str, answer: Any
) -> None:
    got = http.predict({"signature_name": signature, form: value})
    assert got.status == 200, got.body
    (key,) = got.json()
    assert key == answer_form
    if answer is not ...:
        # Digit for digit: 0.2 is 0.2, a float has a point, and text is not base64.
        assert json.dumps(got.json()[key], sort_keys=True) == json.dumps(answer, sort_keys=True)


@pytest.mark.parametrize(
    "body",
    [
        b'\xef\xbb\xbf{"signature_name": "half", "instances": [1]}',  # After a byte order mark.
        b'{"signature_name": "half", "signature_name": "x", "instances": [1], "instances": []}',
    ],
    ids=["mark", "repeated names"],
)
def test_what_is_passed_over(http: Http, body: bytes) -> None:
    assert http.predict(body).json() == {"predictions": [0.5]}


def test_status_over_rest(http: Http) -> None:
    assert http.ask("GET", http.path).json() == {
        "model_version_status": [
            {
                "version": "1",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }


def test_a_request_through_a_proxy_names_the_whole_address(http: Http) -> None:
    whole = http.ask("GET", f"http://127.0.0.1:8501{http.path}")
    assert whole == http.ask("GET", http.path) and whole.status == 200


def test_metadata_over_rest(http: Http) -> None:
    metadata = http.ask("GET", f"{http.path}/metadata").json()
    assert metadata["model_spec"] == {
        "name": http.model,
        "signature_name": "",
        "version": "1",
    }
    signature = metadata["metadata"]["signature_def"]["signature_def"]["types"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    point = signature["inputs"]["point"]
    assert point["dtype"] == "DT_DOUBLE"
    assert point["tensor_shape"] == {
        "dim": [{"size": "-1", "name": ""}, {"size": "2", "name": ""}],
        "unknown_rank": False,
    }


def test_concurrent_requests_get_their_own_answers(address) -> None:
    def ask(seed: int) -> list[str]:
        http = Http(address.url)
        rows = [row(seed=seed, length=length) for length in range(20)]
        texts = [http.predict({"instances": [row]}).json()["predictions"] for row in rows]
        http.close()
        return [text["text"] for (text,) in texts]

    with ThreadPoolExecutor(8) as threads:
        for seed, texts in enumerate(threads.map(ask, range(8))):
            dot = "\N{MIDDLE DOT}"
            assert texts == [f"{seed}{dot}{length}{dot}0.50" for length in range(20)]
