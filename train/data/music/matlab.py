"""The benchmark sets as MATLAB files: cell arrays of piano rolls."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from train.data.music.rolls import NUM_NOTES
from train.support.errors import UserError
from train.support.extras import require_extra

__all__ = ["read_mat"]

_KEYS = {"train": "traindata", "valid": "validdata", "test": "testdata"}
_CURE = "get the file of the released set"


def read_mat(path: Path) -> dict[str, list[np.ndarray]]:
    """Reads the three splits of a MATLAB file.

    Args:
      path: A file with the cell arrays `traindata`, `validdata` and `testdata`, whose cells are
        matrices `[T, 88]` of 0 and 1.

    Returns:
      By split, its piano rolls in the order of the file; one may have no steps.

    Raises:
      UserError: If it is no such file, or damaged.
    """
    require_extra("music")
    import scipy.io

    data = path.read_bytes()
    try:
        values = scipy.io.loadmat(io.BytesIO(data))
    except Exception as error:  # Damaged bytes show as almost anything: there is no list of it.
        raise UserError(
            f"expected a MATLAB file (version 5 to 7.2) in {str(path)!r}; "
            f"it cannot be read: {error}; {_CURE}"
        ) from error
    missing = [key for key in _KEYS.values() if key not in values]
    if missing:
        raise UserError(
            f"expected {', '.join(_KEYS.values())} in {str(path)!r}; missing: "
            f"{', '.join(missing)}; {_CURE}"
        )
    return {
        split: [
            _roll(cell, f"{str(path)!r}, {key}, piece {number}")
            for number, cell in enumerate(_cells(values[key], f"{str(path)!r}, {key}"), start=1)
        ]
        for split, key in _KEYS.items()
    }


def _cells(value: Any, where: str) -> list[Any]:
    """Returns the cells of a cell array."""
    if value.dtype != object:
        raise UserError(
            f"expected a cell array of piano rolls in {where}; got {_describe(value)}; {_CURE}"
        )
    return list(value.ravel())


def _roll(cell: Any, where: str) -> np.ndarray:
    """Returns one cell as a piano roll."""
    if cell.size == 0:  # MATLAB's empty matrix is [0, 0].
        return np.zeros((0, NUM_NOTES), np.uint8)
    if cell.dtype.kind not in "biuf" or cell.ndim != 2 or cell.shape[1] != NUM_NOTES:
        raise UserError(
            f"expected a matrix [T, {NUM_NOTES}] in {where}; got {_describe(cell)}; {_CURE}"
        )
    if not np.isin(cell, (0, 1)).all():
        raise UserError(f"expected only 0 and 1 in {where}; got other numbers; {_CURE}")
    return np.ascontiguousarray(cell, np.uint8)


def _describe(value: Any) -> str:
    """Returns what a value is, for an error message."""
    return f"{value.dtype.name} of shape {list(value.shape)}"
