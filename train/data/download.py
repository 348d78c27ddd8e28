"""Downloads a file once, into the cache of this user, and checks what came."""

from __future__ import annotations

import http.client
import os
import urllib.request
from pathlib import Path
from typing import BinaryIO

from train.support.digests import sha256_of_file
from train.support.errors import UserError
from train.support.files import clear_leftovers, whole_file

__all__ = ["cache_dir", "fetch"]

_CHUNK_BYTES = 1 << 20
_TIMEOUT_SECONDS = 60


def cache_dir() -> Path:
    """Returns `$XDG_CACHE_HOME/tf_latentflow`, else `~/.cache/tf_latentflow`; it may not exist."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():  # The XDG standard has relative values ignored.
        base = Path.home() / ".cache"
    return base / "tf_latentflow"


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
    clear_leftovers(path.parent)
    with whole_file(path) as temporary:
        with open(temporary, "wb") as file:
            try:
                _copy(url, file)
            except (OSError, http.client.HTTPException) as error:
                raise UserError(f"could not download {url} ({error}); {cure}") from error
        got = sha256_of_file(temporary)
        if got != sha256:
            raise UserError(
                f"refused the download of {url}: expected sha256 {sha256}; got {got}; {cure}"
            )
    return path


def _copy(url: str, file: BinaryIO) -> None:
    """Copies what `url` serves into `file`.

    Raises:
      OSError: If the server cannot be reached, or stops early.
    """
    received = 0
    with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response:
        while chunk := response.read(_CHUNK_BYTES):
            file.write(chunk)
            received += len(chunk)
        expected = response.headers.get("Content-Length")
    # `read(n)` ends silently where the connection does.
    if expected is not None and received != int(expected):
        raise OSError(f"the connection ended after {received} of {expected} bytes")
