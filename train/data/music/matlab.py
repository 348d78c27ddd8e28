"""The benchmark sets as MATLAB files: cell arrays of piano rolls."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from train.data.music.rolls import NUM_NOTES
from train.data.music.splits_apart import answer_splits, check_size, read_splits
from train.support.errors import UserError
from train.support.extras import require_extra

__all__ = ["read_mat"]

_KEYS = {"train": "traindata", "valid": "validdata", "test": "testdata"}
_EXPECTED = "a MATLAB file (version 5 to 7.2)"
_CURE = "get the file of the released set"


def read_mat(path: Path) -> dict[str, list[np.ndarray]]:
    """Reads the three splits of a MATLAB file.

    SciPy reads it in a separate process, because damaged files can crash SciPy.

    Args:
      path: A file with the cell arrays `traindata`, `validdata` and `testdata`, whose cells are
        matrices `[T, 88]` of 0 and 1.

    Returns:
      The piano rolls by split, in the order of the file; a roll may have no steps.

    Raises:
      UserError: It is not such a file, or it is damaged, or SciPy is not installed.
    """
    require_extra("music", "scipy")
    return read_splits("train.data.music.matlab", path, _EXPECTED, _CURE)


def _read(data: bytes, path: str) -> dict[str, list[np.ndarray]]:
    """Reads the bytes of a file; `path` is its name in messages."""
    import scipy.io

    values = scipy.io.loadmat(io.BytesIO(data), variable_names=list(_KEYS.values()))
    missing = [key for key in _KEYS.values() if key not in values]
    if missing:
        raise UserError(
            f"expected {', '.join(_KEYS.values())} in {path!r}; missing: "
            f"{', '.join(missing)}; {_CURE}"
        )
    cells = {split: _cells(values[key], f"{path!r}, {key}") for split, key in _KEYS.items()}
    check_size(sum(cell.shape[0] for pieces in cells.values() for cell in pieces), path)
    return {
        split: [
            _roll(cell, f"{path!r}, {_KEYS[split]}, piece {number}")
            for number, cell in enumerate(pieces, start=1)
        ]
        for split, pieces in cells.items()
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
    import scipy.sparse

    if 0 in cell.shape:  # MATLAB's empty matrix is [0, 0].
        return np.zeros((0, NUM_NOTES), np.uint8)
    if cell.dtype.kind not in "biuf" or cell.ndim != 2 or cell.shape[1] != NUM_NOTES:
        raise UserError(
            f"expected a matrix [T, {NUM_NOTES}] in {where}; got {_describe(cell)}; {_CURE}"
        )
    if scipy.sparse.issparse(cell):
        cell = cell.toarray()
    if not ((cell == 0) | (cell == 1)).all():
        raise UserError(f"expected only 0 and 1 in {where}; got other numbers; {_CURE}")
    return np.ascontiguousarray(cell, np.uint8)


def _describe(value: Any) -> str:
    """Describes a value for an error message."""
    return f"{value.dtype.name} of shape {list(value.shape)}"


if __name__ == "__main__":
    answer_splits(_read)
