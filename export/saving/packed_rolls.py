"""Piano rolls as bytes, the form in which servers receive and return them.

A roll `[T, 88]` of 0 and 1 is `11 T` bytes, 11 for each time step. The lowest note, A0, is the most
significant bit of the first byte of a step; the highest, C8, is the least significant bit of the
last one. This is the result of `np.packbits(roll, axis=-1)`.
"""

from __future__ import annotations

import numpy as np

__all__ = ["BYTES_PER_STEP", "NUM_NOTES", "pack_roll", "unpack_roll"]

NUM_NOTES = 88
BYTES_PER_STEP = NUM_NOTES // 8


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
    if len(packed) % BYTES_PER_STEP:
        raise ValueError(f"expected a multiple of {BYTES_PER_STEP} bytes; got {len(packed)}")
    steps = np.frombuffer(packed, np.uint8).reshape(-1, BYTES_PER_STEP)
    return np.unpackbits(steps, axis=-1)
