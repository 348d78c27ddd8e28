"""The names of the splits, and the rule that assigns data to them by a hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping

from train.support.digests import sha256_of

__all__ = ["SPLITS", "split_of", "split_of_digest", "splits_sha256"]

SPLITS = ("train", "valid", "test")
_HASH_PARTS = 10  # One part is the test split, one the validation split.


def split_of(content: bytes) -> str:
    """Assigns a piece of data to train (8 of 10), valid or test by its content.

    Nothing else matters: repeated pieces are in the same split, and adding data later moves nothing
    to another split.
    """
    return split_of_digest(hashlib.sha256(content).digest())


def split_of_digest(digest: bytes) -> str:
    """Returns `split_of` of the content with this SHA-256 digest."""
    part = int.from_bytes(digest[:8], "big") % _HASH_PARTS
    return {0: "test", 1: "valid"}.get(part, "train")


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
