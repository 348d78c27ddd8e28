"""Files and folders that are there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = [
    "TEMPORARY_PREFIX",
    "read_json",
    "whole_file",
    "whole_folder",
    "write_bytes",
    "write_json",
    "write_text",
]

TEMPORARY_PREFIX = ".tmp-"  # Of the names that files and folders have until they are whole.


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Gives a temporary name beside `path`, whose file becomes `path` when the block ends well.

    A reader sees the old file or the new one, also after a power cut. If the block fails, nothing
    of it is left. The temporary name has the suffix of `path`, and is this process's own.
    """
    temporary = _temporary(path)
    try:
        yield temporary
        _sync_file(temporary)
        os.replace(temporary, path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Gives a temporary folder beside `path`, which becomes `path` when the block ends well.

    If the block fails, nothing of it is left.

    Raises:
      FileExistsError: If `path` is there, and not an empty folder.
    """
    temporary = _temporary(path)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        for root, _, files in os.walk(temporary):
            for name in files:
                _sync_file(Path(root, name))
            _sync_folder(Path(root))
        try:
            os.rename(temporary, path)
        except OSError:
            if not os.path.lexists(path):
                raise
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        _sync_folder(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file in one step; see `whole_file`."""
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text in one step."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Writes `value` as JSON in one step. NaN and infinity are refused."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Reads a JSON file.

    Raises:
      OSError: If it cannot be read.
      ValueError: If it is not JSON in UTF-8.
    """
    return json.loads(path.read_text(encoding="utf-8"))


def _temporary(path: Path) -> Path:
    return path.with_name(f"{TEMPORARY_PREFIX}{os.getpid()}-{path.name}")


def _sync_file(path: Path) -> None:
    """Brings what a file holds to the disk."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    """Brings a folder's entries to the disk, where the operating system can."""
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
