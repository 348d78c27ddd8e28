"""A user's own folder of MIDI files, as three splits of piano rolls."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from train.data.music.dealing import deal
from train.data.music.midi import read_midi
from train.data.splits import SPLITS
from train.support.errors import UserError
from train.support.reading import refuse_special

__all__ = ["has_splits", "read_midi_files", "read_midi_folder"]

_SUFFIXES = (".mid", ".midi", ".kar", ".rmi")  # In any case; ".gz" may follow.
_FILES_A_LINE = 100


def read_midi_folder(
    folder: Path, steps_per_beat: int
) -> tuple[dict[str, list[np.ndarray]], list[str]]:
    """Reads the MIDI files of a folder and its subfolders, in order of name.

    A MIDI file is one by its name: `*.mid`, `*.midi`, `*.kar`, `*.rmi` in any case, or one of these
    with `.gz`. With a subfolder `valid` or `test`, the splits are its subfolders `train`, `valid`
    and `test`. Without, they are dealt 8:1:1 by what the pieces are; a piece that is there twice
    counts once.

    Args:
      folder: An existing folder.
      steps_per_beat: Time steps in a quarter note.

    Returns:
      The piano rolls by split, and one line for each file that was left out, whatever it is, and
      for each that lost notes.

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
    left_out += [
        f"{path}: left out: it is in none of the subfolders {', '.join(SPLITS)}"
        for path in _files(folder, left_out, without=SPLITS)
    ]
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
    left_out: list[str] = []
    if folder.is_dir():
        files = _files(folder, left_out)
    else:
        refuse_special(folder)
        files = [folder]
    paths = [path for path in files if path == folder or _is_midi(path)]
    suffixes = ", ".join("*" + suffix for suffix in _SUFFIXES)
    if not paths:
        raise UserError(
            f"expected MIDI files ({suffixes}) in the folder {str(folder)!r}; there are none, "
            f"and {len(files)} other files"
        )
    others = sorted(set(files) - set(paths))
    left_out += [f"{path}: left out: its name is not one of {suffixes}" for path in others]
    rolls: dict[bytes, np.ndarray] = {}
    names: dict[bytes, Path] = {}
    for number, path in enumerate(paths, start=1):
        if number % _FILES_A_LINE == 0:
            print(f"reading MIDI files: {number} of {len(paths)}", file=sys.stderr, flush=True)
        try:
            piece = read_midi(path, steps_per_beat)
        except (UserError, OSError) as error:
            left_out.append(f"{path}: left out: {error}")
            continue
        content = piece.roll.tobytes()
        if content in rolls:
            left_out.append(f"{path}: left out: the same notes as {names[content]}")
            continue
        left_out += [f"{path}: {remark}" for remark in piece.remarks]
        rolls[content], names[content] = piece.roll, path
    return rolls, left_out


def _is_midi(path: Path) -> bool:
    return path.name.lower().removesuffix(".gz").endswith(_SUFFIXES)


def _files(folder: Path, left_out: list[str], without: Sequence[str] = ()) -> list[Path]:
    """Returns the files of a folder and its subfolders, in order of name.

    What cannot be read as such is added to `left_out`: links to folders, which may lead in circles,
    folders that may not be opened, and what is no file.

    Args:
      folder: The folder.
      left_out: Lines of what was left out.
      without: Names of its subfolders that are left to others.
    """

    def cannot_open(error: OSError) -> None:
        left_out.append(f"{error.filename}: left out: {error}")

    files = []
    for place, folders, names in os.walk(folder, onerror=cannot_open):
        if Path(place) == folder:
            folders[:] = [name for name in folders if name not in without]
        for path in (Path(place, name) for name in folders):
            if path.is_symlink():
                left_out.append(f"{path}: left out: a link to a folder is not followed")
        for path in (Path(place, name) for name in names):
            try:
                refuse_special(path)
            except UserError as error:
                left_out.append(f"{path}: left out: {error}")
                continue
            if path.is_file():
                files.append(path)
            else:
                left_out.append(f"{path}: left out: a link to nothing")
    return sorted(files)


def _first(left_out: list[str]) -> str:
    """Ends an error message with what went wrong first."""
    return f"; {len(left_out)} remarks, the first: {left_out[0]}" if left_out else ""
