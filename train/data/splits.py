"""The names of the splits, and the rule that assigns data to them by a hash of their content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

import numpy as np

from train.support.digests import sha256_of

__all__ = ["SPLITS", "split_digests", "split_of", "split_rolls", "splits_sha256"]

SPLITS = ("train", "valid", "test")
_HASH_PARTS = 10  # One part is the test split, one the validation split.


def split_of(content: bytes) -> str:
    """Assigns a piece of data to train (8 of 10), valid or test by its content.

    Nothing else matters: repeated pieces are in the same split, and adding data later moves nothing
    to another split.
    """
    return _split_of_digest(hashlib.sha256(content).digest())


def _split_of_digest(digest: bytes) -> str:
    part = int.from_bytes(digest[:8], "big") % _HASH_PARTS
    return {0: "test", 1: "valid"}.get(part, "train")


def split_rolls(rolls: Iterable[np.ndarray]) -> dict[str, list[np.ndarray]]:
    """Splits piano rolls by their content, each roll once; see `split_digests`.

    Raises:
      ValueError: There are fewer than three different rolls, one for each split.
    """
    by_digest = {hashlib.sha256(roll.tobytes()).digest(): roll for roll in rolls}
    by_split = split_digests(by_digest)
    return {split: [by_digest[digest] for digest in by_split[split]] for split in SPLITS}


def split_digests(digests: Collection[bytes]) -> dict[str, list[bytes]]:
    """Splits different pieces by the SHA-256 digests of their content, as `split_of` does.

    An empty split gets one piece of the largest: the one with the smallest digest, so that the
    result does not depend on the names and the order of the pieces.

    Raises:
      ValueError: There are fewer than three different pieces, one for each split.
    """
    if len(digests) < len(SPLITS):
        raise ValueError(f"expected at least {len(SPLITS)} different rolls; got {len(digests)}")
    splits: dict[str, list[bytes]] = {split: [] for split in SPLITS}
    for digest in digests:
        splits[_split_of_digest(digest)].append(digest)
    for split in splits.values():
        if not split:
            largest = max(splits.values(), key=len)
            moved = min(largest)
            largest.remove(moved)
            split.append(moved)
    return splits


def splits_sha256(counts: Mapping[str, int], content: Callable[[str], Iterable[bytes]]) -> str:
    """Returns the digest of three splits.

    Args:
      counts: The number of sequences of each split.
      content: Returns the bytes of a split.
    """

    def pieces() -> Iterator[bytes]:
        for split in SPLITS:
            yield f"{split}\n{counts[split]}\n".encode()
            yield from content(split)

    return sha256_of(pieces())
