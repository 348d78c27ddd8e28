"""Simple statistics of piano rolls, for comparing samples with data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from train.data.music.rolls import LOWEST_NOTE

__all__ = [
    "held_share",
    "known_chord_share",
    "notes_per_step",
    "pitch_range",
    "silent_share",
    "summary",
]


def notes_per_step(rolls: Sequence[np.ndarray]) -> float:
    """Returns the mean number of notes per step of rolls `[T, 88]`."""
    return _share(sum(int(np.sum(roll)) for roll in rolls), sum(map(len, rolls)))


def held_share(rolls: Sequence[np.ndarray]) -> float:
    """Returns the share of sounding notes that also sound in the next step.

    The last step of a piece has no next step and does not count. Without notes, returns 0.
    """
    held = sum(int(np.sum((roll[:-1] > 0) & (roll[1:] > 0))) for roll in rolls)
    return _share(held, sum(int(np.sum(roll[:-1])) for roll in rolls))


def silent_share(rolls: Sequence[np.ndarray]) -> float:
    """Returns the share of steps in which no note sounds."""
    return _share(sum(int(np.sum(~np.any(roll, axis=1))) for roll in rolls), sum(map(len, rolls)))


def known_chord_share(rolls: Sequence[np.ndarray], data: Sequence[np.ndarray]) -> float:
    """Returns the share of steps whose notes, all together, also sound in a step of `data`."""
    known = {chord for roll in data for chord in _chords(roll)}
    chords = [chord for roll in rolls for chord in _chords(roll)]
    return _share(sum(chord in known for chord in chords), len(chords))


def pitch_range(rolls: Sequence[np.ndarray]) -> tuple[int, int]:
    """Returns the lowest and the highest pitch, as MIDI note numbers.

    Raises:
      ValueError: No note sounds.
    """
    keys = np.flatnonzero(np.any([np.any(roll, axis=0) for roll in rolls], axis=0))
    if not len(keys):
        raise ValueError("expected rolls with notes; got none")
    return LOWEST_NOTE + int(keys[0]), LOWEST_NOTE + int(keys[-1])


def summary(rolls: Sequence[np.ndarray]) -> dict[str, float]:
    """Returns `notes_per_step`, `held_share` and `silent_share` of rolls `[T, 88]`, by name."""
    return {
        "notes_per_step": notes_per_step(rolls),
        "held_share": held_share(rolls),
        "silent_share": silent_share(rolls),
    }


def _chords(roll: np.ndarray) -> list[bytes]:
    return [packed.tobytes() for packed in np.packbits(roll > 0, axis=1)]


def _share(part: int, whole: int) -> float:
    """Returns `part / whole`; 0 if the whole is 0."""
    return part / whole if whole else 0.0
