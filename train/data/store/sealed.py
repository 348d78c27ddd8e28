"""JSON files that are read as they were written, or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from train.support.digests import sha256_of
from train.support.files import read_json, write_json

__all__ = ["read_sealed", "write_sealed"]


def write_sealed(path: Path, content: Any) -> None:
    """Writes JSON values together with their SHA-256."""
    write_json(path, {"content": content, "sha256": _digest(content)})


def read_sealed(path: Path) -> Any:
    """Returns what `write_sealed` wrote.

    Raises:
      FileNotFoundError: There is no such file.
      ValueError: It holds something else.
      OSError: It cannot be read.
    """
    try:
        found = read_json(path)
        if found["sha256"] == _digest(found["content"]):
            return found["content"]
    except (KeyError, TypeError, RecursionError, IsADirectoryError):
        pass
    raise ValueError(f"expected {path} as it was written; it was changed")


def _digest(content: Any) -> str:
    return sha256_of([json.dumps(content, sort_keys=True).encode()])
