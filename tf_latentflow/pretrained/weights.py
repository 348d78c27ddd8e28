"""The values of a model's variables as one compressed file of NumPy arrays."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import numpy as np

from tf_latentflow.pretrained.errors import PretrainedError

__all__ = ["NamedArray", "pack_weights", "unpack_weights"]

NamedArray = tuple[str, np.ndarray]
"""The path of a variable in its model, and its value."""

_DTYPES = ("float32", "float16")


def pack_weights(arrays: Sequence[NamedArray], dtype: str = "float32") -> bytes:
    """Returns a `.npz` file of the arrays, in their order.

    Args:
      arrays: Paths, which need not be distinct, and values.
      dtype: Of the float32 values in the file: `float32`, or `float16` for half the size, which
        keeps eleven significant bits. One-dimensional arrays keep their dtype: they are small, and
        some are counts.

    Raises:
      ValueError: The dtype is another one, or float16 cannot hold a value.
    """
    if dtype not in _DTYPES:
        raise ValueError(f"expected a dtype of {' or '.join(_DTYPES)}; got {dtype!r}")
    packed: dict = {}
    for i, (path, array) in enumerate(arrays):
        value = array
        if array.dtype == np.float32 and array.ndim > 1:
            with np.errstate(over="ignore"):
                value = array.astype(dtype)
        if not np.isfinite(value).all():
            raise ValueError(f"expected finite weights that {dtype} can hold; got others in {path}")
        packed[f"{i:04d}/{path}"] = value
    file = io.BytesIO()
    np.savez_compressed(file, **packed)
    return file.getvalue()


def unpack_weights(data: bytes) -> list[NamedArray]:
    """Returns what `pack_weights` was given, with float16 as float32.

    Raises:
      PretrainedError: This is not such a file.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in sorted(file.files)}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise PretrainedError(f"expected a file of weights (.npz); got another: {error}") from None
    return [
        (name.partition("/")[2], value.astype(np.float32) if value.dtype == np.float16 else value)
        for name, value in arrays.items()
    ]
