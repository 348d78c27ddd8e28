"""Files that are there whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

__all__ = ["read_json", "replace_file", "sync_directory", "write_bytes", "write_json", "write_text"]


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text to `path` in one step: a reader sees the old file or the new one."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file in one step, as `write_text`."""
    temporary = path.with_name(f".{path.name}.tmp")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    replace_file(temporary, path)


def replace_file(temporary: Path, path: Path) -> None:
    """Moves a finished file to its name, and makes the move last through a power cut."""
    os.replace(temporary, path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Writes a directory's entries to the disk, where the operating system can."""
    if os.name == "posix":
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_json(path: Path, value: Any) -> None:
    """Writes `value` to `path` as JSON, in one step. NaN and infinity are refused."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Reads a JSON file.

    Raises:
      OSError: If it cannot be read.
      ValueError: If it is not JSON in UTF-8.
    """
    return json.loads(path.read_text(encoding="utf-8"))
