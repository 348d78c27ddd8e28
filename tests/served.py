"""How tests talk to a server: HTTP and generated stubs, nothing of ours."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

__all__ = ["PATIENCE", "Answer", "Http", "predict_request"]

PATIENCE = 120.0  # For what is to come at once: longer than any machine stalls [s].


@dataclass(frozen=True)
class Answer:
    """What a server answered; its headers have the time, so they are not compared."""

    status: int
    body: bytes
    headers: http.client.HTTPMessage = field(compare=False)

    def json(self) -> Any:
        """The body; NaN and Infinity are allowed."""
        return json.loads(self.body)


class Http:
    """A connection to the server of a model, opened again when the server has closed it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.path = parts.path
        self.model = parts.path.rpartition("/")[2]
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        asked = (method, path, body, headers or {})
        try:
            try:
                return self._ask(*asked)
            except (BrokenPipeError, ConnectionResetError):  # A server closes what is long idle.
                self._connection.close()
                return self._ask(*asked)
        except (http.client.HTTPException, OSError):
            self._connection.close()
            raise

    def _ask(self, *asked: Any) -> Answer:
        self._connection.request(*asked)
        response = self._connection.getresponse()
        return Answer(response.status, response.read(), response.headers)

    def predict(self, document: Any, path: str = "") -> Answer:
        """Sends a body, as it is or as JSON, to `URL{path}:predict`."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self.ask("POST", f"{self.path}{path}:predict", body)

    def close(self) -> None:
        self._connection.close()


def predict_request(model: str, signature: str, **inputs: Any) -> predict_pb2.PredictRequest:
    """A request over gRPC; arrays have the types of the signature."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request
