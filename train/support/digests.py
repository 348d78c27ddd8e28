"""SHA-256 digests, in hexadecimal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

__all__ = ["sha256_of", "sha256_of_file"]


def sha256_of(*parts: bytes | Iterable[bytes]) -> str:
    """Returns the digest of some bytes, or of pieces of bytes one after the other."""
    digest = hashlib.sha256()
    for part in parts:
        for piece in (part,) if isinstance(part, bytes) else part:
            digest.update(piece)
    return digest.hexdigest()


def sha256_of_file(path: Path) -> str:
    """Returns the digest of a file's bytes.

    Raises:
      OSError: If it cannot be read.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
