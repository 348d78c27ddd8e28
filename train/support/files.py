"""Writing files and folders in one step, so that they are complete or absent."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
import re
import shutil
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from train.support.digests import sha256_of
from train.support.errors import UserError

__all__ = [
    "clear_leftovers",
    "is_temporary",
    "read_json",
    "read_json_or_refuse",
    "replace_folder",
    "whole_file",
    "whole_folder",
    "write_bytes",
    "write_checked_json",
    "write_json",
    "write_text",
]

# The names of unfinished files and folders: `.tmp-PLACE-PROCESS-NAME`; see `_place`.
_TEMPORARY = re.compile(r"\.tmp-([0-9a-f]+)-(\d+)-.*", re.DOTALL)
_ABANDONED_SECONDS = 24 * 3600.0
_CHECKSUM = "checksum"


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yields a temporary name beside `path`; the file is renamed to `path` when the block succeeds.

    A reader sees either the old or the new file, even after a power cut. If the block fails,
    nothing is left of it. The temporary name has the suffix of `path` and is unique to this
    process.
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
def whole_folder(path: Path, replace: bool = False) -> Iterator[Path]:
    """Yields a temporary folder beside `path`, which is renamed to `path` when the block succeeds.

    If the block fails, nothing is left of it, and what was at `path` is as it was.

    Args:
      path: The folder to make.
      replace: Whether to replace an existing folder, whatever it holds.

    Raises:
      FileExistsError: `path` exists and is not an empty folder, without `replace`.
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
        if replace:
            replace_folder(temporary, path)
        else:
            _rename_folder(temporary, path)
        _sync_folder(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def replace_folder(new: Path, path: Path) -> None:
    """Renames the folder `new` to `path`; an old folder there is removed after that."""
    old = _temporary(path.with_name(f"old-{path.name}"))
    if path.is_dir():
        os.rename(path, old)
    try:
        _rename_folder(new, path)
    except OSError:
        if old.is_dir() and not os.path.lexists(path):
            os.rename(old, path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _rename_folder(new: Path, path: Path) -> None:
    try:
        os.rename(new, path)
    except OSError:
        if not os.path.lexists(path):
            raise
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None


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


def write_checked_json(path: Path, values: Mapping[str, Any]) -> None:
    """Writes a JSON object with a checksum of its values, which `read_json` compares."""
    write_json(path, {**values, _CHECKSUM: _checksum(values)})


def read_json(path: Path) -> Any:
    """Reads a JSON file. A checksum of `write_checked_json` is not part of what is returned.

    Raises:
      OSError: If it cannot be read.
      ValueError: If it is not JSON in UTF-8, or has changed since it got a checksum.
    """
    value = json.loads(path.read_text(encoding="utf-8"))
    there = value.pop(_CHECKSUM, None) if isinstance(value, dict) else None
    if there is not None and there != _checksum(value):
        raise ValueError("its checksum is wrong")
    return value


def _checksum(values: Mapping[str, Any]) -> str:
    return sha256_of([json.dumps(values, sort_keys=True).encode()])


def read_json_or_refuse(path: Path, cure: str) -> Any:
    """Reads a JSON file written by this project.

    Args:
      path: The file.
      cure: How the user can fix a damaged file; ends the message.

    Raises:
      FileNotFoundError: The file does not exist.
      NotADirectoryError: What should be its folder is a file.
      UserError: The file cannot be read or is damaged.
    """
    try:
        return read_json(path)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path} ({error}): {cure}") from None


def is_temporary(path: Path) -> bool:
    """Whether a path is the temporary name of an unfinished file or folder."""
    return _TEMPORARY.fullmatch(path.name) is not None


def clear_leftovers(*folders: Path) -> None:
    """Removes unfinished files and folders of processes that no longer run.

    Those of other machines, on a shared disk, are removed a day after they were last written.
    """
    for folder in folders:
        for path in folder.iterdir() if folder.is_dir() else ():
            match = _TEMPORARY.fullmatch(path.name)
            if match and _is_abandoned(path, *match.groups()):
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    return path.with_name(f".tmp-{_place()}-{os.getpid()}-{path.name}")


def _place() -> str:
    """Stands for the machine, or the container: numbers of processes are unique within it."""
    try:
        namespace = os.stat("/proc/self/ns/pid").st_ino
    except OSError:  # Not on Linux.
        namespace = 0
    return f"{zlib.crc32(f'{platform.node()} {namespace}'.encode()):08x}"


def _is_abandoned(path: Path, place: str, process: str) -> bool:
    if place == _place():
        return not _is_running(int(process))
    try:
        return time.time() - path.lstat().st_mtime > _ABANDONED_SECONDS
    except FileNotFoundError:  # It is finished.
        return False


def _is_running(process: int) -> bool:
    """Whether another process with this number is running."""
    if process == os.getpid():
        return False  # Left by an earlier process with this number.
    if os.name != "posix":
        return True  # On Windows, `os.kill` would end the process.
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # It belongs to another user.
        return True
    return True


def _sync_file(path: Path) -> None:
    """Flushes a file to the disk."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    """Flushes the entries of a folder to the disk, if the operating system can."""
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
