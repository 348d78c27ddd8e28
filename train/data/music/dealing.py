"""Deals pieces that came without splits to training, validation and test."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from train.data.splits import SPLITS, split_of_digest

__all__ = ["deal", "deal_digests"]


def deal(rolls: Iterable[np.ndarray]) -> dict[str, list[np.ndarray]]:
    """Deals piano rolls by their content, each roll once; see `deal_digests`.

    Raises:
      ValueError: If there are not three different rolls, one for each split.
    """
    by_digest = {hashlib.sha256(roll.tobytes()).digest(): roll for roll in rolls}
    dealt = deal_digests(by_digest)
    return {split: [by_digest[digest] for digest in dealt[split]] for split in SPLITS}


def deal_digests(digests: Iterable[bytes]) -> dict[str, list[bytes]]:
    """Deals pieces by the SHA-256 digests of their content: `split_of_digest`, each once.

    A split that this leaves empty is given one piece of the fullest: the one that has the smallest
    digest, so that the names and the order of the pieces still play no part.

    Raises:
      ValueError: If there are not three different ones, one for each split.
    """
    splits: dict[str, list[bytes]] = {split: [] for split in SPLITS}
    for digest in dict.fromkeys(digests):
        splits[split_of_digest(digest)].append(digest)
    number = sum(map(len, splits.values()))
    if number < len(SPLITS):
        raise ValueError(f"expected at least {len(SPLITS)} different rolls; got {number}")
    for dealt in splits.values():
        if not dealt:
            fullest = max(splits.values(), key=len)
            moved = min(fullest)
            fullest.remove(moved)
            dealt.append(moved)
    return splits
