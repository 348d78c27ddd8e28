"""Assigns pieces without splits to training, validation and test, by their content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from train.data.splits import SPLITS, split_of_digest

__all__ = ["split_rolls", "split_digests"]


def split_rolls(rolls: Iterable[np.ndarray]) -> dict[str, list[np.ndarray]]:
    """Splits piano rolls by their content, each roll once; see `split_digests`.

    Raises:
      ValueError: There are fewer than three different rolls, one for each split.
    """
    by_digest = {hashlib.sha256(roll.tobytes()).digest(): roll for roll in rolls}
    by_split = split_digests(by_digest)
    return {split: [by_digest[digest] for digest in by_split[split]] for split in SPLITS}


def split_digests(digests: Iterable[bytes]) -> dict[str, list[bytes]]:
    """Splits pieces by the SHA-256 digests of their content, each once; see `split_of_digest`.

    An empty split gets one piece of the largest: the one with the smallest digest, so that the
    result does not depend on the names and the order of the pieces.

    Raises:
      ValueError: There are fewer than three different pieces, one for each split.
    """
    splits: dict[str, list[bytes]] = {split: [] for split in SPLITS}
    for digest in dict.fromkeys(digests):
        splits[split_of_digest(digest)].append(digest)
    number = sum(map(len, splits.values()))
    if number < len(SPLITS):
        raise ValueError(f"expected at least {len(SPLITS)} different rolls; got {number}")
    for split in splits.values():
        if not split:
            largest = max(splits.values(), key=len)
            moved = min(largest)
            largest.remove(moved)
            split.append(moved)
    return splits
