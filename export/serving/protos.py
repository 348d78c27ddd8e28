"""Messages of TF Serving that REST and gRPC share, and tensors as protos."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2

from export.serving.servable import DEFAULT_SIGNATURE, Servable
from export.serving.status import check_rows, invalid

__all__ = [
    "METADATA_FIELD",
    "array_of",
    "metadata_json",
    "metadata_of",
    "predicted",
    "status_json",
    "status_of",
]

METADATA_FIELD = "signature_def"

# The field of `TensorProto` with the elements of each type.
_FIELDS = {
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.int32: "int_val",
    tf.int16: "int_val",
    tf.int8: "int_val",
    tf.uint8: "int_val",
    tf.int64: "int64_val",
    tf.uint32: "uint32_val",
    tf.uint64: "uint64_val",
    tf.bool: "bool_val",
    tf.string: "string_val",
}
_READ = {**_FIELDS, tf.float16: "half_val", tf.bfloat16: "half_val"}


def status_of(
    servable: Servable, name: str, version: int | None = None, label: str = ""
) -> get_model_status_pb2.GetModelStatusResponse:
    """Returns the state of the loaded version.

    Raises:
      tf.errors.OpError: INVALID_ARGUMENT or NOT_FOUND if another version was requested.
    """
    try:
        servable.check(name, version, label)
    except tf.errors.NotFoundError:
        which = f"any versions of model {name}"
        if version is not None:
            which = f"version {version} of model {name}"
        raise tf.errors.NotFoundError(None, None, f"Could not find {which}") from None
    response = get_model_status_pb2.GetModelStatusResponse()
    response.model_version_status.add(
        version=servable.version, state=get_model_status_pb2.ModelVersionStatus.AVAILABLE
    ).status.SetInParent()
    return response


def status_json(response: get_model_status_pb2.GetModelStatusResponse) -> bytes:
    """Returns the state as JSON for REST."""
    return _json(response).encode()


def metadata_of(servable: Servable) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """Returns all signatures."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name, signature in servable.signatures.items():
        signatures.signature_def[name].CopyFrom(signature)
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = servable.name
    response.model_spec.version.value = servable.version
    response.metadata[METADATA_FIELD].Pack(signatures)
    return response


def metadata_json(response: get_model_metadata_pb2.GetModelMetadataResponse) -> bytes:
    """Returns the signatures as JSON for REST: the message, without its `Any`."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata[METADATA_FIELD].Unpack(signatures)
    spec = _json(response.model_spec)
    return (
        f'{{"model_spec": {spec}, "metadata": {{"{METADATA_FIELD}": {_json(signatures)}}}}}\n'
    ).encode()


def predicted(
    servable: Servable, signature_name: str, outputs: Mapping[str, np.ndarray]
) -> predict_pb2.PredictResponse:
    """Returns the answer of a signature, with numbers in the typed fields, which clients expect."""
    response = predict_pb2.PredictResponse()
    response.model_spec.name = servable.name
    response.model_spec.version.value = servable.version
    response.model_spec.signature_name = signature_name or DEFAULT_SIGNATURE
    for name, array in outputs.items():
        dtype = tf.as_dtype(
            servable.signatures[response.model_spec.signature_name].outputs[name].dtype
        )
        proto = response.outputs[name]
        if dtype not in _FIELDS:
            proto.CopyFrom(tf.make_tensor_proto(array))
            continue
        proto.dtype = dtype.as_datatype_enum
        proto.tensor_shape.SetInParent()
        for size in array.shape:
            proto.tensor_shape.dim.add(size=size)
        getattr(proto, _FIELDS[dtype]).extend(array.ravel().tolist())
    return response


def array_of(
    name: str, proto: tf.compat.v1.TensorProto, max_bytes: int, max_rows: int | None = None
) -> np.ndarray:
    """Returns a tensor of a request.

    A proto whose data has more or fewer elements than its shape is refused. TensorFlow itself would
    repeat the last element, so that a few bytes could become an array of any size.

    Args:
      name: Name of the input, for messages.
      proto: The tensor as a client has sent it; not trusted.
      max_bytes: Maximum size.
      max_rows: Maximum size of the first dimension, or None.

    Raises:
      tf.errors.OpError: INVALID_ARGUMENT if it is not a tensor, RESOURCE_EXHAUSTED if it is too
        large.
    """
    sizes = [dim.size for dim in proto.tensor_shape.dim]
    try:
        dtype = tf.as_dtype(proto.dtype)
        if proto.tensor_shape.unknown_rank or min(sizes, default=0) < 0:
            raise ValueError("its shape is not fully known")
        num = math.prod(sizes)
        if num * max(dtype.size or 0, 1) > max_bytes:
            raise tf.errors.ResourceExhaustedError(
                None, None, f"input {name} of shape {sizes} is over {max_bytes} bytes"
            )
        if max_rows is not None and sizes:
            check_rows(name, sizes[0], max_rows)
        held = _num_held(proto, dtype)
        if num != held:
            raise ValueError(f"its shape {sizes} has {num} elements, and its data {held}")
        return tf.make_ndarray(proto)
    except (IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise invalid(f"input {name} is no tensor: {error}") from None


def _num_held(proto: tf.compat.v1.TensorProto, dtype: tf.DType) -> int:
    """Returns the number of elements in the data of a proto."""
    if proto.tensor_content:
        return len(proto.tensor_content) // max(dtype.size or 0, 1)
    return len(getattr(proto, _READ[dtype])) if dtype in _READ else 0


def _json(message: object) -> str:
    return json_format.MessageToJson(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
