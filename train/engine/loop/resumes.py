"""The file that says at which steps a run went on after it had been stopped."""

from __future__ import annotations

from pathlib import Path

from train.support.errors import UserError
from train.support.files import read_json_or_refuse, write_json

__all__ = ["read_resumes", "write_resumes"]

_CURE = "delete it: the run goes on without it"


def read_resumes(file: Path) -> list[int]:
    """The steps, oldest first; none if the file is not there.

    Raises:
      UserError: If it is damaged.
    """
    try:
        steps = read_json_or_refuse(file, _CURE)
    except FileNotFoundError:
        return []
    if not isinstance(steps, list):
        raise UserError(f"{file} is damaged: {_CURE}")
    return steps


def write_resumes(file: Path, steps: list[int]) -> None:
    """Writes the steps."""
    write_json(file, steps)
