"""What a bundle's run was, step by step, as lines of JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from train.support.files import write_text

__all__ = ["RunLog"]


class RunLog:
    """A file with one line for each step and each validation, `{"step": steps made, ...}`."""

    def __init__(self, file: Path, step: int) -> None:
        """Forgets what a process that was stopped wrote after its last checkpoint.

        Args:
          file: The file.
          step: Steps made.
        """
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        kept = [line for line in lines if _step_of(line) <= step]
        write_text(file, "".join(f"{line}\n" for line in kept))
        self._file, self._lines = file, []

    def write(self, step: int, **values: Any) -> None:
        """Adds a line, which is in the file after `flush`."""
        self._lines.append(json.dumps({"step": step, **values}) + "\n")

    def flush(self) -> None:
        """Writes the lines that were added."""
        with open(self._file, "a", encoding="utf-8") as file:
            file.writelines(self._lines)
        self._lines = []


def _step_of(line: str) -> float:
    """The step of a line; infinite for one that was cut."""
    try:
        return json.loads(line)["step"]
    except (ValueError, KeyError, TypeError):
        return float("inf")
