"""Versions of a served model: folders named by a number, each there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from train.errors import UserError
from train.files import sync_directory

__all__ = ["check_version", "new_version", "version_folders"]

_LARGEST = 2**63 - 1  # Servers keep a version in 64 bits.


def version_folders(base: Path) -> dict[int, Path]:
    """Returns the folders in `base` whose name is a number, by that number."""
    if not base.is_dir():
        return {}
    return {
        int(path.name): path
        for path in base.iterdir()
        if path.is_dir() and path.name.isascii() and path.name.isdecimal()
    }


def check_version(base: Path, version: int | None) -> int:
    """Returns the version to write, the next free one if None.

    Raises:
      UserError: If it is there already, or no version at all.
    """
    if version is None:
        return max(version_folders(base), default=0) + 1
    if not 1 <= version <= _LARGEST:
        raise UserError(f"--version expects a whole number from 1; got {version}")
    if os.path.lexists(base / str(version)):
        raise UserError(
            f"{base / str(version)} exists: leave out --version, and the next free one is taken"
        )
    return version


@contextlib.contextmanager
def new_version(base: Path, version: int) -> Iterator[Path]:
    """Gives a temporary folder, which becomes `base/version` when the block ends well.

    A server that watches `base` passes over the temporary folder, as its name is no number. If the
    block fails, nothing of it is left.

    Raises:
      UserError: If another process has written that version meanwhile.
    """
    base.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{version}-", dir=base))
    try:
        yield temporary
        _finish(temporary)
        try:
            os.rename(temporary, base / str(version))
        except OSError:
            raise UserError(
                f"{base / str(version)} was written by another process: run this again"
            ) from None
        sync_directory(base)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _finish(folder: Path) -> None:
    """Brings files to the disk, and lets any user read them: a server is often another one."""
    for root, _, files in os.walk(folder):
        for name in files:
            path = Path(root, name)
            path.chmod(0o644)
            with open(path, "rb") as file:
                os.fsync(file.fileno())
        Path(root).chmod(0o755)
        sync_directory(Path(root))
