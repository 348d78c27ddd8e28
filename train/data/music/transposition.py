"""Training pieces in other keys; needs only NumPy."""

from __future__ import annotations

import numpy as np

__all__ = ["transposed"]


def transposed(
    roll: np.ndarray, epoch: int, index: int, *, semitones: int, seed: int
) -> np.ndarray:
    """Returns a piano roll moved by a random number of semitones, drawn anew in every epoch.

    Where a note would leave the keyboard, the piece is moved by an octave less: to the same key,
    on the other side. If it has no room there either, it is returned as it is.

    Args:
      roll: `[T, notes]`.
      epoch: Number of the epoch.
      index: Number of the piece. With the epoch and the seed it determines the result.
      semitones: Maximum distance in either direction [semitones].
      seed: Seed of the run.
    """
    rng = np.random.default_rng([seed, epoch, index, semitones])
    shift = int(rng.integers(-semitones, semitones, endpoint=True))
    used = np.flatnonzero(roll.any(axis=0))
    if not used.size:
        return roll
    for distance in (shift, shift - 12 * np.sign(shift)):
        if used[0] + distance >= 0 and used[-1] + distance < roll.shape[1]:
            return np.roll(roll, distance, axis=1)
    return roll
