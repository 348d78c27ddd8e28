"""Simple statistics of piano rolls, for comparing samples with data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["held_share", "notes_per_step", "silent_share", "summary"]


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


def summary(rolls: Sequence[np.ndarray]) -> dict[str, float]:
    """Returns `notes_per_step`, `held_share` and `silent_share` of rolls `[T, 88]`, by name."""
    return {
        "notes_per_step": notes_per_step(rolls),
        "held_share": held_share(rolls),
        "silent_share": silent_share(rolls),
    }


def _share(part: int, whole: int) -> float:
    """Returns `part / whole`; 0 if the whole is 0."""
    return part / whole if whole else 0.0
