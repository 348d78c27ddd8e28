"""Deals pieces that came without splits to training, validation and test."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from train.data.splits import SPLITS, split_of

__all__ = ["deal"]


def deal(rolls: Iterable[np.ndarray]) -> dict[str, list[np.ndarray]]:
    """Deals piano rolls by their content: `train.data.splits.split_of`, each roll once.

    A split that this leaves empty is given one piece of the fullest: the one whose content has the
    smallest digest, so that the names and the order of the pieces still play no part.

    Raises:
      ValueError: If there are not three different rolls, one for each split.
    """
    splits: dict[str, dict[bytes, np.ndarray]] = {split: {} for split in SPLITS}
    for roll in rolls:
        content = roll.tobytes()
        splits[split_of(content)][content] = roll
    num_rolls = sum(map(len, splits.values()))
    if num_rolls < len(SPLITS):
        raise ValueError(f"expected at least {len(SPLITS)} different rolls; got {num_rolls}")
    for dealt in splits.values():
        if not dealt:
            fullest = max(splits.values(), key=len)
            moved = min(fullest, key=lambda content: hashlib.sha256(content).digest())
            dealt[moved] = fullest.pop(moved)
    return {split: list(dealt.values()) for split, dealt in splits.items()}
