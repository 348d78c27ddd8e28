"""Downloads a file of a dataset once, into the cache of this user, and checks what came."""

from __future__ import annotations

from pathlib import Path

from tf_latentflow.pretrained.download import cache_dir, download
from train.support.errors import UserError
from train.support.files import clear_leftovers

__all__ = ["cache_dir", "fetch"]


def fetch(url: str, path: Path, sha256: str, cure: str = "try again") -> Path:
    """Returns `path`, downloaded from `url` unless the right file is already there; see `download`.

    Args:
      url: Where the file is.
      path: Where it shall be; missing parents are made.
      sha256: Expected digest of its bytes, in hexadecimal.
      cure: What the user can do when it fails; ends the error message.

    Raises:
      UserError: If the server cannot be reached, stops early, or sends other bytes.
    """
    clear_leftovers(path.parent)
    try:
        download(url, path, sha256)
    except OSError as error:
        if error.errno is not None:  # The user's disk, and not the server.
            raise
        raise UserError(f"{error}; {cure}") from error
    return path
