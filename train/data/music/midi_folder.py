"""A user's own folder of MIDI files, as three splits of piano rolls."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from train.data.music.dealing import deal
from train.data.music.midi import read_midi
from train.data.music.rolls import HIGHEST_NOTE, LOWEST_NOTE
from train.data.splits import SPLITS
from train.support.errors import UserError
from train.support.extras import require_extra
from train.support.reading import refuse_special

__all__ = ["has_splits", "read_midi_files", "read_midi_folder"]

_SUFFIXES = (".mid", ".midi")
_FILES_A_LINE = 100


def read_midi_folder(
    folder: Path, steps_per_beat: int
) -> tuple[dict[str, list[np.ndarray]], list[str]]:
    """Reads the MIDI files (`*.mid`, `*.midi`) of a folder and its subfolders, in order of name.

    With a subfolder `valid` or `test`, the splits are its subfolders `train`, `valid` and `test`.
    Without, they are dealt 8:1:1 by what the pieces are; a piece that is there twice counts once.

    Args:
      folder: An existing folder.
      steps_per_beat: Time steps in a quarter note.

    Returns:
      The piano rolls by split, and one line for each file that was left out, or lost notes.

    Raises:
      UserError: If there are no MIDI files, a subfolder is missing, or too few files can be used.
    """
    if has_splits(folder):
        return _read_subfolders(folder, steps_per_beat)
    rolls, left_out = read_midi_files(folder, steps_per_beat)
    if len(rolls) < len(SPLITS):
        raise UserError(
            f"expected at least {len(SPLITS)} different MIDI files that can be used in "
            f"{str(folder)!r}, one for each split; got {len(rolls)}{_first(left_out)}"
        )
    return deal(rolls.values()), left_out


def _read_subfolders(
    folder: Path, steps_per_beat: int
) -> tuple[dict[str, list[np.ndarray]], list[str]]:
    """Reads the splits as the user made them."""
    missing = [split for split in SPLITS if not (folder / split).is_dir()]
    if missing:
        raise UserError(
            f"expected the subfolders {', '.join(SPLITS)} in {str(folder)!r}; "
            f"missing: {', '.join(missing)}"
        )
    splits: dict[str, list[np.ndarray]] = {}
    left_out: list[str] = []
    for split in SPLITS:
        rolls, lines = read_midi_files(folder / split, steps_per_beat)
        if not rolls:
            raise UserError(
                f"expected a MIDI file that can be used in {str(folder / split)!r}; "
                f"there is none{_first(lines)}"
            )
        splits[split] = list(rolls.values())
        left_out += lines
    return splits, left_out


def has_splits(folder: Path) -> bool:
    """Whether a folder names a held-out split, which must then not be dealt to training."""
    return any((folder / split).is_dir() for split in ("valid", "test"))


def read_midi_files(folder: Path, steps_per_beat: int) -> tuple[dict[bytes, np.ndarray], list[str]]:
    """Reads the MIDI files of a folder and its subfolders, or one file.

    Returns:
      The different piano rolls by content, and one line for each file that was left out, or lost
      notes.

    Raises:
      UserError: If there are no MIDI files.
    """
    require_extra("music")  # Here, since a file that cannot be read is only left out.
    paths = sorted(
        path
        for path in (folder.rglob("*") if folder.is_dir() else [folder])
        if path == folder or (path.suffix.lower() in _SUFFIXES and not path.is_dir())
    )
    if not paths:
        raise UserError(
            f"expected MIDI files ({', '.join('*' + suffix for suffix in _SUFFIXES)}) in the "
            f"folder {str(folder)!r}; there are none"
        )
    rolls: dict[bytes, np.ndarray] = {}
    names: dict[bytes, Path] = {}
    left_out = []
    for number, path in enumerate(paths, start=1):
        if number % _FILES_A_LINE == 0:
            print(f"reading MIDI files: {number} of {len(paths)}", file=sys.stderr, flush=True)
        try:
            refuse_special(path)
            roll, num_outside = read_midi(path, steps_per_beat)
        except (UserError, OSError) as error:
            left_out.append(f"{path}: left out: {error}")
            continue
        content = roll.tobytes()
        if content in rolls:
            left_out.append(f"{path}: left out: the same notes as {names[content]}")
            continue
        if num_outside:
            left_out.append(
                f"{path}: {num_outside} of its notes left out: not in {LOWEST_NOTE}..{HIGHEST_NOTE}"
            )
        rolls[content], names[content] = roll, path
    return rolls, left_out


def _first(left_out: list[str]) -> str:
    """Ends an error message with what went wrong first."""
    return f"; {len(left_out)} remarks, the first: {left_out[0]}" if left_out else ""
