"""Versions of a served model: folders with numbers as names, each complete or absent."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from train.support.errors import UserError
from train.support.files import clear_leftovers, whole_folder

__all__ = ["check_version", "new_version", "newest_version", "version_folders"]

_LARGEST = 2**63 - 1  # Servers keep a version in 64 bits.


def version_folders(base: Path) -> dict[int, Path]:
    """Returns the folders in `base` whose names are numbers of versions, by number."""
    if not base.is_dir():
        return {}
    numbered = (p for p in base.iterdir() if p.name.isascii() and p.name.isdecimal())
    return {int(p.name): p for p in numbered if int(p.name) <= _LARGEST and p.is_dir()}


def newest_version(base: Path) -> tuple[int, Path]:
    """Returns the newest version in `base`, the --model-base-path of a server, and its folder.

    Raises:
      UserError: There is no version.
    """
    base = base.resolve()
    if not base.is_dir():
        raise UserError(f"--model-base-path expects a folder; there is none at {str(base)!r}")
    versions = version_folders(base)
    if not versions:
        is_version = base in version_folders(base.parent).values()
        near = [base.parent] if is_version else filter(version_folders, sorted(base.iterdir()))
        cure = next((f"give {str(folder)!r}" for folder in near), "export a model there")
        raise UserError(
            f"--model-base-path expects a folder with versions, such as {str(base / '1')!r}; "
            f"{str(base)!r} has none: {cure}"
        )
    newest = max(versions)
    return newest, versions[newest]


def check_version(base: Path, version: int | None) -> int:
    """Returns the version to write; None stands for the next free one.

    Raises:
      UserError: It already exists, or is not a version; or `base` is a file.
    """
    if os.path.lexists(base) and not base.is_dir():
        raise UserError(f"{base} is a file and not a folder: give another --name or --out")
    if version is None:
        version = max(version_folders(base), default=0) + 1
    if not 1 <= version <= _LARGEST:
        raise UserError(f"--version expects a whole number from 1 to {_LARGEST}; got {version}")
    if os.path.lexists(base / str(version)):
        raise UserError(
            f"{base / str(version)} exists: leave out --version to use the next free one"
        )
    return version


@contextlib.contextmanager
def new_version(base: Path, version: int) -> Iterator[Path]:
    """Yields a temporary folder, which is renamed to `base/version` when the block succeeds.

    A server that watches `base` ignores the temporary folder, whose name is not a number. If the
    block fails, nothing is left of it.

    Raises:
      UserError: Another process has written that version in the meantime.
    """
    path = base / str(version)
    clear_leftovers(base)
    try:
        with whole_folder(path) as temporary:
            yield temporary
            _let_anyone_read(temporary)
    except FileExistsError as error:
        if error.filename != str(path):
            raise
        raise UserError(f"{path} was written by another process: run this again") from None


def _let_anyone_read(folder: Path) -> None:
    """Makes a folder readable for all users, because a server often runs as another one."""
    for root, _, files in os.walk(folder):
        for name in files:
            Path(root, name).chmod(0o644)
        Path(root).chmod(0o755)
