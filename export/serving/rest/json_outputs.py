"""Writes the body of a REST answer as TF Serving does (its `util/json_tensor.cc`)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from export.serving.status import invalid

__all__ = ["answer_of", "error_of"]


def answer_of(outputs: Mapping[str, np.ndarray], by_row: bool) -> bytes:
    """Returns `{"predictions": ...}` in row form, and `{"outputs": ...}` in columnar form.

    A single output is written without its name. Strings are base64 objects if the output's name
    ends in `_bytes`, and text otherwise. Non-finite numbers are written as NaN and Infinity.

    Args:
      outputs: Arrays by name.
      by_row: Whether the request was in row form.

    Raises:
      tf.errors.InvalidArgumentError: The arrays cannot be written in this form.
    """
    if not outputs:
        raise invalid("Cannot convert empty tensor map to JSON")
    if by_row:
        for name, array in outputs.items():
            if array.ndim == 0:
                raise invalid(f"Tensor name: {name} has no shape information")
        if len({len(array) for array in outputs.values()}) > 1:
            sizes = {name: len(array) for name, array in outputs.items()}
            raise invalid(f"outputs have inconsistent batch sizes: {sizes}")
    columns = {name: _values(name, array) for name, array in outputs.items()}
    if len(columns) == 1:
        (values,) = columns.values()
    elif by_row:
        rows = zip(*columns.values(), strict=True)
        values = [dict(zip(columns, row, strict=True)) for row in rows]
    else:
        values = columns
    # Bytes that are not UTF-8 are passed through unchanged.
    text = json.dumps({"predictions" if by_row else "outputs": values}, ensure_ascii=False)
    return text.encode("utf-8", "surrogateescape")


def error_of(message: str) -> bytes:
    """Returns `{"error": message}`."""
    return json.dumps({"error": message}, ensure_ascii=False).encode("utf-8", "replace")


def _values(name: str, array: np.ndarray) -> Any:
    """Returns an array as nested lists of JSON values."""
    if array.dtype.kind in "biu" or array.dtype == np.float64:
        return array.tolist()
    if array.dtype == np.float32:
        # Uses the shortest digits, so that 0.2 does not become 0.20000000298.
        return np.asarray([float(str(value)) for value in array.flat]).reshape(array.shape).tolist()
    if array.dtype != np.object_:
        raise invalid(f"Failed to write JSON value for tensor {name} of type: {array.dtype}")
    strings = np.empty(array.size, object)
    for i, value in enumerate(array.flat):
        if name.endswith("_bytes"):
            strings[i] = {"b64": base64.b64encode(value).decode("ascii")}
        else:
            strings[i] = value.decode("utf-8", "surrogateescape")
    return strings.reshape(array.shape).tolist()
