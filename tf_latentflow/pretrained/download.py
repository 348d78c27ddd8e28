"""Downloads a file once and verifies it."""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import re
import secrets
import shutil
import urllib.parse
import urllib.request
from pathlib import Path
from typing import BinaryIO

__all__ = ["cache_dir", "check_url", "download"]

_CHUNK_BYTES = 1 << 20
_TIMEOUT_SECONDS = 60


def cache_dir() -> Path:
    """Returns `$XDG_CACHE_HOME/tf_latentflow`, else `~/.cache/tf_latentflow`; it may not exist.

    Raises:
      FileNotFoundError: The user has no home folder.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():  # The XDG standard has relative values ignored.
        try:
            base = Path.home() / ".cache"
        except RuntimeError:
            cure = "there is no home folder; set HOME or XDG_CACHE_HOME"
            raise FileNotFoundError(errno.ENOENT, cure, "~") from None
    return base / "tf_latentflow"


def check_url(url: str) -> None:
    """Checks that there can be something to download at an address.

    Raises:
      ValueError: It is not `http://HOST/...` or `https://HOST/...`, or not in ASCII without spaces.
    """
    parts = urllib.parse.urlsplit(url)
    is_web = parts.scheme in ("http", "https") and parts.hostname
    if not is_web or not re.fullmatch("[!-~]+", url):
        raise ValueError(
            "expected an address http://HOST/... or https://HOST/..., in ASCII, with %20 for a "
            f"space; got {url!r}"
        )


def download(url: str, path: Path, sha256: str) -> None:
    """Downloads a file from `url` to `path`, unless the right file is already there.

    The bytes are written to a temporary name beside `path` and renamed once their checksum is
    right. So `path` is never half written, and two programs may download the same file at once.

    Args:
      url: Where the file is.
      path: Where to put it; missing parents are created.
      sha256: Expected digest of its bytes, in hexadecimal.

    Raises:
      OSError: `url` is invalid, or its server cannot be reached, stops early, or sends other
        bytes.
    """
    if path.is_file() and _digest(path) == sha256:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Unique among all machines and containers that share the folder.
    temporary = path.with_name(f".tmp-{secrets.token_hex(4)}-{os.getpid()}-{path.name}")
    try:
        with open(temporary, "wb") as file:
            try:
                _copy(url, file)
            except (OSError, ValueError, http.client.HTTPException) as error:
                raise OSError(f"could not download {url} ({error})") from error
            file.flush()
            os.fsync(file.fileno())
        got = _digest(temporary)
        if got != sha256:
            raise OSError(f"refused the download of {url}: expected sha256 {sha256}; got {got}")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(url: str, file: BinaryIO) -> None:
    """Copies what `url` serves into `file`.

    Raises:
      OSError: The server cannot be reached, or stops early.
    """
    with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response:
        shutil.copyfileobj(response, file, _CHUNK_BYTES)
        expected = response.headers.get("Content-Length")
    # Copying ends silently where the connection does.
    if expected is not None and file.tell() != int(expected):
        raise OSError(f"the connection ended after {file.tell()} of {expected} bytes")
