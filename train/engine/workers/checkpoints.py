"""Checkpoints of several processes: the chief stores them and sends them to the others."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from train.engine.checkpoint_folders import CheckpointFolders
from train.engine.workers.team import Team, first_part

__all__ = ["TeamCheckpoints"]


class TeamCheckpoints(CheckpointFolders):
    """The checkpoints of a run, which only the chief writes.

    The other processes receive the newest checkpoint from the chief, so that they do not need
    access to its folder.
    """

    def __init__(self, directory: Path, team: Team, report: Callable[[str], None]) -> None:
        """Makes the store; touches no file.

        Args:
          directory: Folder of the chief's checkpoints.
          team: The processes.
          report: See `CheckpointFolders`.
        """
        super().__init__(directory, report)
        self._team = team
        self._received: tempfile.TemporaryDirectory | None = None

    def save(self, step: int, state: dict[str, Any], write: Callable[[Path], None]) -> None:
        if self._team.is_chief:
            super().save(step, state, write)
        elif self._received:  # By now it has been read.
            self._received.cleanup()

    def newest(self) -> tuple[Path, dict[str, Any]] | None:
        found = super().newest() if self._team.is_chief else None
        if self._team.size == 1:
            return found
        sent = found and {"names": sorted(p.name for p in found[0].iterdir()), "state": found[1]}
        sent = self._team.from_chief(sent)
        if sent is None:
            return None
        if found:
            folder = found[0]
        else:
            self._received = tempfile.TemporaryDirectory(prefix="checkpoint-")
            folder = Path(self._received.name)
        for name in sent["names"]:
            part = (folder / name).read_bytes() if found else b""
            content = self._team.exchange(part, first_part)
            if not found:
                (folder / Path(name).name).write_bytes(content)
        return folder, sent["state"]
