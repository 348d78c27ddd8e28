"""SHA-256 digests, in hexadecimal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

__all__ = ["sha256_of", "sha256_of_code", "sha256_of_file"]


def sha256_of(pieces: Iterable[bytes]) -> str:
    """Returns the digest of pieces of bytes, one after the other."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def sha256_of_code(*packages: ModuleType) -> str:
    """Returns the digest of all source files of some packages."""
    folders = [Path(place) for package in packages for place in package.__path__]
    files = (file for folder in folders for file in sorted(folder.rglob("*.py")))
    return sha256_of(file.read_bytes() for file in files)


def sha256_of_file(path: Path) -> str:
    """Returns the digest of a file's bytes.

    Raises:
      OSError: If it cannot be read.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
