"""Checkpoints as folders, complete or absent; damaged ones are skipped."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from train.support.digests import sha256_of_file
from train.support.files import read_json, whole_folder, write_json

__all__ = ["CheckpointFolders"]

_CHECKSUMS = "sha256.json"
_STATE = "state.json"
_NAME = re.compile(r"step-(\d{9})")
_KEEP = 3  # Newest whole checkpoints.


class CheckpointFolders:
    """A folder with one folder per checkpoint: `step-000000100/` has the variables and the state.

    A checkpoint is written to a temporary folder and then renamed, including checksums of its
    files. A process that is killed at any moment therefore leaves only complete ones, and later
    damage is detected by the checksums.
    """

    def __init__(self, directory: Path, report: Callable[[str], None] = print) -> None:
        """Makes the store; touches no file.

        Args:
          directory: Folder of the checkpoints.
          report: Called with one line for each checkpoint that was skipped, and why.
        """
        self.directory = directory
        self._report = report
        self._whole: set[int] = set()  # Steps whose checkpoints this process wrote or has checked.

    @property
    def steps(self) -> list[int]:
        """Steps of the existing checkpoints, including damaged ones, oldest first."""
        if not self.directory.is_dir():
            return []
        names = (_NAME.fullmatch(path.name) for path in self.directory.iterdir())
        return sorted(int(match[1]) for match in names if match)

    def save(self, step: int, state: dict[str, Any], write: Callable[[Path], None]) -> None:
        """Saves the checkpoint of `step`: `state` (JSON values) and the files that `write` makes.

        Args:
          step: Number of the step.
          state: What is not in the files.
          write: Writes files, without subfolders, into the folder it is given.
        """
        target = self._path(step)
        # One that exists is damaged, or from before the run resumed from an older checkpoint.
        with whole_folder(target, replace=True) as temporary:
            write(temporary)
            write_json(temporary / _STATE, state)
            files = sorted(temporary.iterdir())
            write_json(temporary / _CHECKSUMS, {path.name: sha256_of_file(path) for path in files})
        self._whole.add(step)
        self._prune(step)

    def newest(self) -> tuple[Path, dict[str, Any]] | None:
        """Returns the folder and the state of the newest intact checkpoint, or None."""
        damaged = []
        found = None
        for step in reversed(self.steps):
            path = self._path(step)
            damage = _damage(path)
            if not damage:
                self._whole.add(step)
                found = path, read_json(path / _STATE)
                break
            damaged.append(f"checkpoint {path} is damaged ({damage})")
        cure = f"using {found[0].name}" if found else "no other is intact: starting over"
        for line in damaged:
            self._report(f"{line}: {cure}")
        return found

    def _prune(self, step: int) -> None:
        """Removes checkpoints older than the newest intact ones up to a step.

        Damaged checkpoints do not count. Later ones were skipped by a run that resumed from an
        earlier checkpoint, and will be written again.
        """
        earlier = [s for s in self.steps if s <= step]
        whole = [s for s in earlier if s in self._whole or _damage(self._path(s)) is None]
        self._whole.update(whole)
        for old in earlier:
            if old < whole[-_KEEP:][0]:
                shutil.rmtree(self._path(old))

    def _path(self, step: int) -> Path:
        return self.directory / f"step-{step:09d}"


def _damage(path: Path) -> str | None:
    """Returns what is wrong with a checkpoint, or None."""
    try:
        checksums = read_json(path / _CHECKSUMS)
        if not isinstance(checksums, dict) or _STATE not in checksums:
            return f"{_CHECKSUMS} is not a list of its files"
        for name, expected in checksums.items():
            if sha256_of_file(path / name) != expected:
                return f"{name} has changed"
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except (OSError, ValueError) as error:
        return f"cannot be read: {error}"
    return None
