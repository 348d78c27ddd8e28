"""The benchmark sets as pickles of note lists, read without running anything in them."""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from train.data.music.rolls import HIGHEST_NOTE, LOWEST_NOTE, NUM_NOTES
from train.data.splits import SPLITS
from train.support.errors import UserError

__all__ = ["read_pickle"]

_NOTES = range(LOWEST_NOTE, HIGHEST_NOTE + 1)


def read_pickle(path: Path) -> dict[str, list[np.ndarray]]:
    """Reads the three splits of a pickle, of any protocol and of Python 2 or 3.

    Args:
      path: A file with a pickled `{"train": pieces, "valid": pieces, "test": pieces}`, where a
        piece is a list of steps, and a step is a list of the MIDI numbers that sound in it.

    Returns:
      By split, its piano rolls in the order of the file; one may have no steps.

    Raises:
      UserError: If it is no such file, is damaged, or asks for anything but lists, tuples, dicts,
        strings and numbers. Nothing of such a pickle is run.
    """
    data = path.read_bytes()
    try:
        value = _PlainUnpickler(io.BytesIO(data), encoding="latin1").load()
    except _Refused as error:
        raise UserError(
            f"refused the pickle {str(path)!r}: it asks for {error}, and note lists need nothing "
            "but lists, tuples, dicts and numbers; nothing of it was run; "
            "get the file of the released set"
        ) from error
    except Exception as error:  # Damaged bytes show as almost anything: there is no list of it.
        raise UserError(
            f"expected a pickle in {str(path)!r}; it cannot be read ({error}); get the file again"
        ) from error
    if not isinstance(value, dict) or not all(_is_list(value.get(split)) for split in SPLITS):
        raise UserError(
            f"expected a dict of the lists {', '.join(SPLITS)} in {str(path)!r}; "
            f"got {_describe(value)}; get the file of the released set"
        )
    return {
        split: [
            _roll(piece, f"{str(path)!r}, {split}, piece {number}")
            for number, piece in enumerate(value[split], start=1)
        ]
        for split in SPLITS
    }


class _Refused(Exception):
    """The pickle asks for an object of a class, or for a function to call."""


class _PlainUnpickler(pickle.Unpickler):
    """Builds what has opcodes of its own (lists, numbers): all else goes through these methods."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise _Refused(f"{module}.{name}")

    def persistent_load(self, pid: object) -> NoReturn:
        raise _Refused("an object kept outside of it")


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple))


def _describe(value: object) -> str:
    """Returns the type of a value, and the keys of a dict."""
    if not isinstance(value, dict):
        return f"a {type(value).__name__}"
    return "the keys " + (", ".join(sorted(map(str, value))) or "of an empty dict")


def _roll(piece: Any, where: str) -> np.ndarray:
    """Returns a list of steps, each a list of MIDI numbers, as a piano roll."""
    if not _is_list(piece):
        raise UserError(
            f"expected a list of steps in {where}; got a {type(piece).__name__}; "
            "get the file of the released set"
        )
    roll = np.zeros((len(piece), NUM_NOTES), np.uint8)
    for time, step in enumerate(piece):
        roll[time, _columns(step, f"{where}, step {time + 1}")] = 1
    return roll


def _columns(step: Sequence[float], where: str) -> list[int]:
    """Returns the columns of a piano roll in which these notes are."""
    if not _is_list(step) or not all(note in _NOTES for note in step):
        raise UserError(
            f"expected a list of MIDI numbers from {LOWEST_NOTE} to {HIGHEST_NOTE} in {where}; "
            f"got {step!r:.60}; get the file of the released set"
        )
    return [int(note) - LOWEST_NOTE for note in step]
