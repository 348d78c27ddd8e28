"""Requests that a server sends to a model while loading it.

The first request of each kind takes seconds, because the runtime then optimises the graph. With
warm-up requests no user has to wait for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from export.serving.protos import array_of
from export.serving.servable import Servable
from train.support.errors import UserError

__all__ = ["play_warmup", "requests_of", "write_warmup"]

_FILE = Path("assets.extra", "tf_serving_warmup_requests")
_MOST = 1000  # TF Serving refuses to load a model that has more.


def requests_of(
    name: str,
    signatures: Mapping[str, tf.types.experimental.ConcreteFunction],
    strings: Mapping[str, bytes],
    lengths: Sequence[int],
) -> Iterator[predict_pb2.PredictRequest]:
    """Yields a request for every signature; for those that take a length alone, one per length.

    `serving_default` is the same function as another, but the runtime optimises it again.

    Args:
      name: Name of the model.
      signatures: The traced functions by name.
      strings: An example of each input that is a string.
      lengths: Lengths to generate, in steps.
    """
    examples = {
        **{field: tf.constant([value]) for field, value in strings.items()},
        "length": tf.constant([0]),  # To `complete`: drawn.
        "seed": tf.constant([0], tf.int64),
        "temperature": tf.constant([1.0]),
        "row": tf.constant([0]),
    }
    for signature, function in signatures.items():
        specs = tf.nest.flatten(function.structured_input_signature)
        inputs = {spec.name: examples[spec.name] for spec in specs}
        if "length" in inputs and not strings.keys() & inputs:
            for length in lengths:
                yield _request(name, signature, **{**inputs, "length": tf.constant([length])})
        else:
            yield _request(name, signature, **inputs)


def _request(name: str, signature: str, **inputs: tf.Tensor) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    request.model_spec.signature_name = signature
    for key, value in inputs.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    return request


def write_warmup(folder: Path, requests: Sequence[predict_pb2.PredictRequest]) -> None:
    """Writes requests to the place in a SavedModel where a server looks for them."""
    path = folder / _FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for request in requests:
            log = prediction_log_pb2.PredictionLog()
            log.predict_log.request.CopyFrom(request)
            writer.write(log.SerializeToString())


def play_warmup(
    servable: Servable, max_bytes: int, show: Callable[[str], None] = lambda what: None
) -> int:
    """Sends a model its own warm-up requests; returns their number.

    Args:
      servable: The model.
      max_bytes: Maximum size of a tensor in a request.
      show: Called with the number and the signature of each request before it is sent.

    Raises:
      UserError: A request fails, or there are too many. TF Serving would not serve this model.
    """
    path = servable.path / _FILE
    if not path.exists():
        return 0
    requests: list[predict_pb2.PredictRequest] = []
    number = 1
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            log = prediction_log_pb2.PredictionLog.FromString(record)
            requests.append(log.predict_log.request)
            number = len(requests) + 1
        if len(requests) > _MOST:
            raise UserError(
                f"expected at most {_MOST} warm-up requests in {str(path)!r}; got {len(requests)}"
            )
        for number, request in enumerate(requests, 1):
            signature = request.model_spec.signature_name
            show(f"request {number} of {len(requests)} ({signature})")
            inputs = {
                name: array_of(name, tensor, max_bytes) for name, tensor in request.inputs.items()
            }
            servable.predict(signature, inputs)
    except (DecodeError, tf.errors.OpError) as error:
        raise UserError(
            f"warm-up request {number} in {str(path)!r} fails: {error}; export the model again"
        ) from error
    return len(requests)
