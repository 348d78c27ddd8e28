"""A piece of music as a piano roll: uint8 `[T, 88]` of 0 and 1.

A row is one time step, and column n is MIDI note 21 + n: from A0 to C8, the keys of a piano.

Packed, as servers receive and return it, it is `11 T` bytes, `np.packbits(roll, axis=-1)`: the
lowest note is the most significant bit of a step's first byte, the highest the least significant
bit of its last.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

__all__ = [
    "DEFAULT_STEPS_PER_BEAT",
    "HIGHEST_NOTE",
    "LOWEST_NOTE",
    "NUM_NOTES",
    "Note",
    "notes_of",
    "pack_roll",
    "roll_of",
    "unpack_roll",
]

LOWEST_NOTE = 21
HIGHEST_NOTE = 108
NUM_NOTES = HIGHEST_NOTE - LOWEST_NOTE + 1
DEFAULT_STEPS_PER_BEAT = 2  # Per quarter note: a step is an eighth note.
_BYTES_PER_STEP = NUM_NOTES // 8


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


def pack_roll(roll: np.ndarray) -> bytes:
    """Returns a roll `[T, 88]` of 0 and 1 as `11 T` bytes.

    >>> roll = np.zeros([2, 88], np.uint8)
    >>> roll[1, 0] = 1
    >>> pack_roll(roll).hex()
    '00000000000000000000008000000000000000000000'
    >>> bool((unpack_roll(pack_roll(roll)) == roll).all())
    True

    Raises:
      ValueError: If it is no roll.
    """
    if roll.ndim != 2 or roll.shape[1] != NUM_NOTES or not np.isin(roll, (0, 1)).all():
        raise ValueError(f"expected a roll [T, {NUM_NOTES}] of 0 and 1; got {list(roll.shape)}")
    return np.packbits(roll.astype(np.uint8), axis=-1).tobytes()


def unpack_roll(packed: bytes) -> np.ndarray:
    """Returns the roll, uint8 `[T, 88]`, of `11 T` bytes.

    Raises:
      ValueError: The number of bytes is not a multiple of 11.
    """
    if len(packed) % _BYTES_PER_STEP:
        raise ValueError(f"expected a multiple of {_BYTES_PER_STEP} bytes; got {len(packed)}")
    steps = np.frombuffer(packed, np.uint8).reshape(-1, _BYTES_PER_STEP)
    return np.unpackbits(steps, axis=-1)
