"""Downloads a file of a dataset once, to the user's cache, and verifies it."""

from __future__ import annotations

from pathlib import Path

from tf_latentflow.pretrained.download import download
from train.support.errors import UserError
from train.support.files import clear_leftovers

__all__ = ["fetch"]


def fetch(url: str, path: Path, sha256: str, cure: str = "try again") -> Path:
    """Returns `path`, after downloading it from `url` if it is missing; see `download`.

    Args:
      url: Address of the file.
      path: Where to store it; missing parents are created.
      sha256: Expected digest of its bytes, in hexadecimal.
      cure: End of the error message: what the user can do.

    Raises:
      UserError: The server cannot be reached, stops early, or sends other bytes.
    """
    clear_leftovers(path.parent)
    try:
        download(url, path, sha256)
    except OSError as error:
        if error.errno is not None:  # An error of the user's disk, not of the server.
            raise
        raise UserError(f"{error}; {cure}") from error
    return path
