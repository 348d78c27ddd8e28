"""Lists of arrays as one small file, on request rounded to bfloat16; needs NumPy alone."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

__all__ = ["join", "load_arrays", "round_to_bfloat16", "save_arrays", "split"]


def save_arrays(arrays: Sequence[np.ndarray], bfloat16: Sequence[bool]) -> bytes:
    """Returns arrays as the content of a compressed NumPy file.

    The bytes of a number are stored apart: signs and exponents, alike in all weights, compress.

    Args:
      arrays: Of any shapes and dtypes.
      bfloat16: For each array whether its float32 numbers are rounded to bfloat16.
    """
    planes = {}
    for i, (array, rounded) in enumerate(zip(arrays, bfloat16, strict=True)):
        values = _upper_half(array) if rounded else np.ascontiguousarray(array)
        size = values.dtype.itemsize
        planes[f"{i}"] = values.reshape(-1).view(np.uint8).reshape(-1, size).T
    file = io.BytesIO()
    np.savez_compressed(file, **planes)
    return file.getvalue()


def load_arrays(
    content: bytes, shapes: Sequence[Sequence[int]], dtypes: Sequence[str]
) -> list[np.ndarray]:
    """Returns the arrays that `save_arrays` was given, of these shapes and dtypes."""
    arrays = []
    with np.load(io.BytesIO(content)) as file:
        for i, (shape, dtype) in enumerate(zip(shapes, dtypes, strict=True)):
            planes = np.ascontiguousarray(file[f"{i}"].T)
            if planes.shape[1] < np.dtype(dtype).itemsize:
                values = (planes.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
            else:
                values = planes.view(dtype)
            arrays.append(values.reshape(shape))
    return arrays


def round_to_bfloat16(array: np.ndarray) -> np.ndarray:
    """Returns float32 numbers, each the nearest that bfloat16 has."""
    return (_upper_half(array).astype(np.uint32) << 16).view(np.float32)


def split(content: bytes, size: int | None) -> list[bytes]:
    """Returns the content in parts of at most `size` bytes; None: in one."""
    return [content[i : i + size] for i in range(0, len(content), size)] if size else [content]


def join(sequences: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns sequences one after the other, in the smallest dtype, and their lengths."""
    flat = np.concatenate(sequences)
    lengths = np.array([len(sequence) for sequence in sequences], np.int32)
    return flat.astype(np.min_scalar_type(flat.max())), lengths


def _upper_half(array: np.ndarray) -> np.ndarray:
    """The bits of bfloat16, uint16, rounded to nearest, ties to even."""
    bits = np.array(array, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
