"""A piece of music as a piano roll: uint8 `[T, 88]` of 0 and 1.

A row is one time step, and column n is MIDI note 21 + n: from A0 to C8, the keys of a piano.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

__all__ = ["HIGHEST_NOTE", "LOWEST_NOTE", "NUM_NOTES", "Note", "notes_of", "roll_of"]

LOWEST_NOTE = 21
HIGHEST_NOTE = 108
NUM_NOTES = HIGHEST_NOTE - LOWEST_NOTE + 1


class Note(NamedTuple):
    """A note that sounds in the steps `start, ..., end - 1`."""

    pitch: int  # MIDI number, LOWEST_NOTE to HIGHEST_NOTE.
    start: int
    end: int


def roll_of(notes: Iterable[Note] | np.ndarray, num_steps: int) -> np.ndarray:
    """Returns the piano roll `[num_steps, 88]` of these notes; an array has a note in each row."""
    if not isinstance(notes, np.ndarray):
        notes = np.array(list(notes), np.int64).reshape(-1, 3)
    pitch, start, end = notes.T
    start = np.minimum(start, num_steps)
    end = np.clip(end, start, num_steps)
    # The cumulative sum of starts minus ends takes linear time, even for long notes.
    change = np.zeros((num_steps + 1, NUM_NOTES), np.int32)
    np.add.at(change, (start, pitch - LOWEST_NOTE), 1)
    np.add.at(change, (end, pitch - LOWEST_NOTE), -1)
    return (np.cumsum(change[:-1], axis=0) > 0).astype(np.uint8)


def notes_of(roll: np.ndarray) -> list[Note]:
    """Returns the notes of a piano roll; a note lasts as long as it is held.

    >>> notes_of(roll_of([Note(60, 0, 3), Note(64, 2, 4), Note(60, 3, 4)], 5))
    [Note(pitch=60, start=0, end=4), Note(pitch=64, start=2, end=4)]
    """
    padded = np.pad(roll.astype(np.int8), ((1, 1), (0, 0)))
    change = np.diff(padded, axis=0).T  # [88, T + 1]: 1 where a note starts, -1 where one ends.
    pitches, starts = np.nonzero(change == 1)  # Sorted by pitch, then by time.
    _, ends = np.nonzero(change == -1)
    return [
        Note(LOWEST_NOTE + int(pitch), int(start), int(end))
        for pitch, start, end in zip(pitches, starts, ends, strict=True)
    ]
