"""Lists of arrays as one small file, partly rounded to bfloat16; needs only NumPy."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

__all__ = ["join", "load_arrays", "round_to_bfloat16", "save_arrays"]


def save_arrays(arrays: Sequence[np.ndarray], rounded: int = 0) -> bytes:
    """Returns arrays as the content of a compressed NumPy file.

    The bytes of each number are stored separately: signs and exponents, similar in all weights,
    compress well.

    Args:
      arrays: Of any shapes and dtypes.
      rounded: How many of the first arrays, float32, are rounded to bfloat16.
    """
    planes = {"dtypes": np.array([array.dtype.name for array in arrays])}
    for i, array in enumerate(arrays):
        values = _upper_half(array) if i < rounded else np.asarray(array)
        # Bytes of a number last, and then first.
        planes[f"{i}"] = np.moveaxis(values[..., None].view(np.uint8), -1, 0)
    file = io.BytesIO()
    np.savez_compressed(file, **planes)
    return file.getvalue()


def load_arrays(content: bytes) -> list[np.ndarray]:
    """Returns the arrays passed to `save_arrays`."""
    arrays = []
    with np.load(io.BytesIO(content)) as file:
        for i, dtype in enumerate(file["dtypes"]):
            planes = np.ascontiguousarray(np.moveaxis(file[f"{i}"], 0, -1))
            if planes.shape[-1] < np.dtype(dtype).itemsize:
                values = _from_upper_half(planes.view(np.uint16))
            else:
                values = planes.view(dtype)
            arrays.append(values[..., 0])
    return arrays


def round_to_bfloat16(array: np.ndarray) -> np.ndarray:
    """Returns float32 numbers rounded to the nearest bfloat16."""
    return _from_upper_half(_upper_half(array))


def join(sequences: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns concatenated sequences, in the smallest dtype, and their lengths."""
    flat = np.concatenate(sequences)
    lengths = np.array([len(sequence) for sequence in sequences], np.int32)
    return flat.astype(np.min_scalar_type(flat.max())), lengths


def _upper_half(array: np.ndarray) -> np.ndarray:
    """The bits of bfloat16, uint16, rounded to nearest, ties to even."""
    bits = np.array(array, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def _from_upper_half(bits: np.ndarray) -> np.ndarray:
    return (bits.astype(np.uint32) << 16).view(np.float32)
