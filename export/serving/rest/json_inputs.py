"""Parses the body of a REST request by TF Serving's rules (its `util/json_tensor.cc`)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from export.serving.rest.json_arrays import is_b64, json_array, shown
from export.serving.status import check_rows, invalid

__all__ = ["arrays_of", "parse_body", "signature_name_of"]


def parse_body(body: bytes) -> dict[str, Any]:
    """Returns the JSON object in a body.

    Raises:
      tf.errors.InvalidArgumentError: The body is not a JSON object.
    """
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        document = json.loads(
            body.decode("utf-8-sig"),
            parse_int=_whole,
            parse_float=_finite,
            object_pairs_hook=_first_of_each,
        )
    except (ValueError, RecursionError) as error:  # Invalid UTF-8 or JSON, or too many digits.
        raise invalid(f"JSON Parse error: {error}") from None
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {shown(document)} Is not object")
    return document


def signature_name_of(document: Mapping[str, Any]) -> str:
    """Returns the name of the signature in a request, or the empty string."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(f"'signature_name' key must be a string value; got {shown(name)}")
    return name


def arrays_of(
    document: Mapping[str, Any],
    infos: Mapping[str, tf.compat.v1.saved_model.TensorInfo],
    max_rows: int,
) -> tuple[bool, dict[str, np.ndarray]]:
    """Returns whether a request is in row form, and its inputs by name.

    Args:
      document: The body.
      infos: Types of the signature's inputs by name.
      max_rows: Maximum number of rows, checked before arrays are made.

    Raises:
      tf.errors.InvalidArgumentError: The document does not fit the signature.
    """
    if not infos:
        raise invalid("Failed to get input map for signature: it has no inputs")
    by_row = "instances" in document
    if by_row and "inputs" in document:
        raise invalid("Not formatted correctly expecting only one of 'inputs' or 'instances'")
    if by_row:
        columns = _columns_of_rows(document["instances"], infos)
    elif "inputs" in document:
        columns = _columns(document["inputs"], infos)
    else:
        raise invalid("Missing 'inputs' or 'instances' key")
    for name, column in columns.items():
        if isinstance(column, list):
            check_rows(name, len(column), max_rows)
    return by_row, {
        name: json_array(name, columns[name], tf.as_dtype(info.dtype))
        for name, info in infos.items()
    }


def _columns_of_rows(instances: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    """Returns each input's list of rows from `[{name: value, ...}, ...]` or `[value, ...]`."""
    if not isinstance(instances, list):
        raise invalid("Expecting 'instances' to be an list/array")
    if not instances:
        raise invalid("No values in 'instances' array")
    are_objects = _is_object(instances[0])
    for i, row in enumerate(instances):
        if _is_object(row) != are_objects:
            raise invalid(f"instances are objects or values, not both; see item {i}")
        if are_objects and row.keys() != names.keys():
            raise invalid(
                f"Failed to process element: {i} of 'instances' list. JSON object: {shown(row)} "
                f"keys must be equal to: {','.join(sorted(names))}"
            )
    if are_objects:
        return {name: [row[name] for row in instances] for name in names}
    if len(names) > 1:
        raise invalid("instances is a plain list, but expecting list of objects, of several inputs")
    return dict.fromkeys(names, instances)


def _columns(inputs: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    """Returns each input's value from `{name: value, ...}` or `value`; other names are ignored."""
    if not _is_object(inputs):
        if len(names) > 1:
            raise invalid("inputs is a plain value/list, but expecting an object of several inputs")
        return dict.fromkeys(names, inputs)
    for name in names:
        if name not in inputs:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: inputs[name] for name in names}


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and not is_b64(value)


def _whole(digits: str) -> int | float:
    """Returns an integer; beyond 64 bits, a float, as TF Serving reads it."""
    value = int(digits)
    return value if -(2**63) <= value < 2**64 else _finite(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):  # The literal Infinity is parsed elsewhere.
        raise ValueError("Number too big to be stored in double.")
    return value


def _first_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Returns an object; of repeated names, the first counts, as in TF Serving."""
    return dict(reversed(pairs))
