"""The programs that ask a server, where something else than a model server answers in JSON."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from export import client, load_test
from train.support.errors import UserError

_TYPES = {"text": {"dtype": "DT_STRING"}}
_SIGNATURES = {"generate": {"inputs": _TYPES, "outputs": _TYPES}}
_METADATA = {"metadata": {"signature_def": {"signature_def": _SIGNATURES}}}


@contextmanager
def answering(**answers: Any) -> Iterator[str]:
    """The URL of a model whose answers are given: `status`, `metadata` and `predict`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(answers["metadata" if self.path.endswith("/metadata") else "status"])

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(answers["predict"])

        def _answer(self, answer: Any) -> None:
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/models/x"
        finally:
            server.shutdown()


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"metadata": []},
        {"metadata": {"signature_def": {"signature_def": {"generate": 1}}}},
        {"metadata": {"signature_def": {"signature_def": {"generate": {"inputs": {"a": {}}}}}}},
    ],
)
def test_the_signatures_are_something_else(metadata: Any) -> None:
    with (
        answering(metadata=metadata) as url,
        pytest.raises(UserError, match="x/metadata did not answer as TF Serving; is it a model"),
    ):
        client.main(["score", "a", "--url", url])


@pytest.mark.parametrize("status", [{}, {"model_version_status": [1]}, {"error": "x"}])
def test_the_status_is_something_else(status: Any) -> None:
    with (
        answering(status=status) as url,
        pytest.raises(UserError, match="models/x did not answer as TF Serving; is it a model"),
    ):
        client.main(["status", "--url", url])


def test_the_answer_is_nested_too_deeply() -> None:
    with (
        answering(predict=b'{"a":' * 100_000) as url,
        pytest.raises(UserError, match=":predict did not answer with JSON; is it a model server"),
    ):
        client.main(["generate", "--url", url])


@pytest.mark.parametrize(
    "roll", [None, {}, {"b64": "!!!!"}, {"b64": "AA=="}, [], "x" * 10_000], ids=str
)
def test_the_answer_is_no_piano_roll(roll: Any) -> None:
    predict = {"predictions": [{"roll_bytes": roll}]}
    with answering(predict=predict) as url, pytest.raises(UserError) as error:
        client.main(["generate", "-n", "1", "--url", url])
    shown = str(roll)[:60]
    assert str(error.value) == f"expected a packed piano roll from {url}; got {shown}"


@pytest.mark.parametrize(
    "predict", [[], {"predictions": ["a"]}, {"predictions": [{"num_steps": "x"}]}], ids=str
)
def test_a_load_test_counts_answers_that_are_something_else(
    predict: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        answering(predict=predict, metadata=_METADATA) as url,
        pytest.raises(UserError) as error,
    ):
        load_test.main(["--url", url, "--clients", "1", "--requests", "2"])
    shown = json.dumps(predict)
    assert str(error.value) == f"2 requests had no answer: ValueError: 200 {shown}"
    assert capsys.readouterr().err == ""
