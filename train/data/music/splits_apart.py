"""Reads three splits of piano rolls from a file in a separate process."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from train.data.music.rolls import NUM_NOTES
from train.data.splits import SPLITS
from train.support.errors import UserError
from train.support.own_process import answer, read_in_own_process

__all__ = ["MAX_SET_STEPS", "answer_splits", "check_size", "read_splits"]

MAX_SET_STEPS = 2**20  # Two and a half times the largest of the benchmark sets.

Splits = dict[str, list[np.ndarray]]


def read_splits(module: str, path: Path, expected: str, cure: str) -> Splits:
    """Returns the splits read by a module, which must call `answer_splits`.

    See `read_in_own_process` for the arguments.
    """
    with np.load(io.BytesIO(read_in_own_process(module, path, expected, cure))) as values:
        ends = {split: np.cumsum(values[f"{split}_lengths"]) for split in SPLITS}
        # Nothing comes after the last end.
        return {split: np.split(values[split], ends[split])[:-1] for split in SPLITS}


def answer_splits(read: Callable[[bytes, str], Splits]) -> None:
    """Answers `read_splits` with the splits that `read` returns for a file's bytes and path."""
    answer(lambda data, path: _packed(read(data, path)))


def check_size(num_steps: int, path: str) -> None:
    """Refuses a set that is too large, before memory is allocated for it.

    Raises:
      UserError: It has more than `MAX_SET_STEPS` time steps.
    """
    if num_steps > MAX_SET_STEPS:
        raise UserError(
            f"expected a set of at most {MAX_SET_STEPS:,} time steps in {path!r}; "
            f"got {num_steps:,}; get the file of the released set"
        )


def _packed(splits: Splits) -> bytes:
    arrays: dict[str, np.ndarray] = {}
    for split in SPLITS:
        rolls = [np.zeros((0, NUM_NOTES), np.uint8), *splits[split]]
        arrays[split] = np.concatenate(rolls)
        arrays[f"{split}_lengths"] = np.array([len(roll) for roll in rolls[1:]], np.int64)
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()
