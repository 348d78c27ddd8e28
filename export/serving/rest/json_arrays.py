"""Converts JSON values to arrays, as strictly as TF Serving (its `util/json_tensor.cc`).

| type             | JSON that is accepted                                                    |
|------------------|--------------------------------------------------------------------------|
| int32, int64     | a whole number in range, without point or exponent; not 5.0, not true    |
| float32, float64 | a number, NaN, Infinity or -Infinity; no integer that would be rounded   |
| string           | a string (as UTF-8) or `{"b64": "..."}`                                  |
| bool             | true or false                                                            |
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from export.serving.status import invalid

__all__ = ["json_array", "is_b64", "shown"]

_B64 = "b64"
_SHOWN = 200  # Maximum length of an invalid value in a message [characters].


def json_array(name: str, value: Any, dtype: tf.DType) -> np.ndarray:
    """Returns regularly nested lists, or a single value, as an array.

    Args:
      name: Name of the input, for messages.
      value: The JSON value.
      dtype: Dtype of the array; strings are `bytes` in an array of objects.

    Raises:
      tf.errors.OpError: INVALID_ARGUMENT if the value does not fit, and UNIMPLEMENTED if JSON has
        no such type.
    """
    element = _ELEMENTS.get(dtype)
    if element is None:
        raise tf.errors.UnimplementedError(
            None, None, f"Conversion of JSON Value of input {name} to type: {dtype.name}"
        )
    shape = []
    first = value
    while isinstance(first, list):
        shape.append(len(first))
        first = first[0] if first else None
    leaves = [value]
    for size in shape:
        if any(not isinstance(item, list) or len(item) != size for item in leaves):
            raise invalid(f"input {name} has lists of unlike lengths; expected shape {shape}")
        leaves = [leaf for item in leaves for leaf in item]
    kind = np.int64 if dtype.is_integer and dtype.size < 4 else dtype.as_numpy_dtype
    array = np.empty(len(leaves), kind)
    for i, leaf in enumerate(leaves):
        converted = element(leaf)
        if converted is None:
            raise invalid(
                f"JSON Value: {shown(leaf)} of input {name} is not of expected type: {dtype.name}"
            )
        array[i] = converted
    try:
        return array.astype(dtype.as_numpy_dtype, copy=False).reshape(shape)
    except ValueError as error:  # More dimensions than an array can have.
        raise invalid(f"input {name}: {error}") from None


def is_b64(value: Any) -> bool:
    """Returns whether a value is a base64 object."""
    return isinstance(value, dict) and value.keys() == {_B64} and isinstance(value[_B64], str)


def shown(value: Any) -> str:
    """Returns the beginning of a value, for a message."""
    try:
        return json.dumps(value)[:_SHOWN]
    except RecursionError:
        return "[...]"


def _string(value: Any) -> bytes | None:
    if isinstance(value, str):
        try:
            return value.encode("utf-8")
        except UnicodeEncodeError:  # Half of a surrogate pair.
            return None
    if not is_b64(value):
        return None
    digits = "".join(value[_B64].split())
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _bool(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _integer(lowest: int, highest: int) -> Callable[[Any], int | None]:
    def convert(value: Any) -> int | None:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return value if is_whole and lowest <= value <= highest else None

    return convert


def _float(dtype: type[np.floating]) -> Callable[[Any], float | None]:
    most = float(np.finfo(dtype).max)
    exact = 2 ** (np.finfo(dtype).nmant + 1) - 1

    def convert(value: Any) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if isinstance(value, int):
            return value if abs(value) <= exact else None
        return value if not math.isfinite(value) or abs(value) <= most else None

    return convert


_INT32 = _integer(-(2**31), 2**31 - 1)

_ELEMENTS: dict[tf.DType, Callable[[Any], Any]] = {
    tf.string: _string,
    tf.bool: _bool,
    tf.float32: _float(np.float32),
    tf.float64: _float(np.float64),
    tf.int64: _integer(-(2**63), 2**63 - 1),
    tf.uint64: _integer(0, 2**64 - 1),
    tf.uint32: _integer(0, 2**32 - 1),
    # Narrower types accept the range of int32 and keep the lowest bits.
    **dict.fromkeys((tf.int32, tf.int16, tf.int8, tf.uint8), _INT32),
}
