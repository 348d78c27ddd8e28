"""Downloads a file once, into the cache of this user, and checks what came."""

from __future__ import annotations

import hashlib
import http.client
import os
import tempfile
import urllib.request
from pathlib import Path
from typing import BinaryIO

from train.errors import UserError

__all__ = ["cache_dir", "fetch", "sha256_of_file"]

_CHUNK_BYTES = 1 << 20
_TIMEOUT_SECONDS = 60


def cache_dir() -> Path:
    """Returns `$XDG_CACHE_HOME/tf_latentflow`, else `~/.cache/tf_latentflow`; it may not exist."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():  # The XDG standard has relative values ignored.
        base = Path.home() / ".cache"
    return base / "tf_latentflow"


def sha256_of_file(path: Path) -> str:
    """Returns the SHA-256 digest of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(url: str, path: Path, sha256: str, cure: str = "try again") -> Path:
    """Returns `path`, downloaded from `url` unless the right file is already there.

    The bytes go to a temporary name beside `path` and take that name only after their checksum was
    right: `path` is never half written, and two programs may fetch the same file at once.

    Args:
      url: Where the file is.
      path: Where it shall be; missing parents are made.
      sha256: Expected digest of its bytes, in hexadecimal.
      cure: What the user can do when it fails; ends the error message.

    Raises:
      UserError: If the server cannot be reached, stops early, or sends other bytes.
    """
    if path.is_file() and sha256_of_file(path) == sha256:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            try:
                got = _copy(url, file)
            except (OSError, http.client.HTTPException) as error:
                raise UserError(f"could not download {url} ({error}); {cure}") from error
        if got != sha256:
            raise UserError(
                f"refused the download of {url}: expected sha256 {sha256}; got {got}; {cure}"
            )
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def _copy(url: str, file: BinaryIO) -> str:
    """Copies what `url` serves into `file` and returns the digest of the bytes."""
    digest = hashlib.sha256()
    received = 0
    with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response:
        while chunk := response.read(_CHUNK_BYTES):
            file.write(chunk)
            digest.update(chunk)
            received += len(chunk)
        expected = response.headers.get("Content-Length")
    # `read(n)` ends silently where the connection does.
    if expected is not None and received != int(expected):
        raise OSError(f"the connection ended after {received} of {expected} bytes")
    return digest.hexdigest()
