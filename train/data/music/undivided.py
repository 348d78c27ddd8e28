"""A user's MIDI files without splits, to be evaluated piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from train.data.music.encoding import MusicEncoding, with_left_out
from train.data.music.folder.reading import read_midi_files
from train.support.errors import UserError
from train.support.units import counted

__all__ = ["UndividedMusic", "load_undivided"]


@dataclass(frozen=True)
class UndividedMusic(MusicEncoding):
    """All pieces of a folder without splits, or of one file.

    Attributes:
      name: The folder or file as the user named it.
      sequences: Its different piano rolls, sorted by the names of the files.
      left_out: A line, with the reason, for each file that was left out or lost notes.
    """

    name: str
    sequences: list[np.ndarray]
    left_out: tuple[str, ...] = ()

    def describe(self) -> str:
        """Returns a line on the number of pieces, and one for each file that was left out."""
        pieces = counted(len(self.sequences), "piece")
        steps = counted(sum(map(len, self.sequences)), "step")
        return with_left_out(f"dataset {self.name}: {pieces} ({steps}), not divided", self.left_out)


def load_undivided(name: str, steps_per_beat: int) -> UndividedMusic:
    """Reads a folder of MIDI files and its subfolders, or one file.

    Args:
      name: A path without splits.
      steps_per_beat: Time steps per quarter note.

    Raises:
      UserError: There is no MIDI file that can be used.
    """
    rolls, left_out = read_midi_files(Path(name), steps_per_beat)
    if not rolls:
        more = f", and {len(left_out) - 1} more" if len(left_out) > 1 else ""
        raise UserError(f"expected a MIDI file that can be used; got {left_out[0]}{more}")
    return UndividedMusic(name, rolls, tuple(left_out))
