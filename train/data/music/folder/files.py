"""Finds the MIDI files in a user's folder, and the split of each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from train.data.splits import SPLITS
from train.engine.run_files import RunFiles
from train.support.errors import UserError
from train.support.reading import refuse_special

__all__ = ["MidiFiles", "find_midi", "has_splits"]

_SUFFIXES = (".mid", ".midi", ".kar", ".rmi")  # In any case; ".gz" may follow.


class MidiFiles(NamedTuple):
    """The MIDI files of a folder.

    Attributes:
      paths: The files sorted by name, each with its split; None for files without splits.
      left_out: A line for each other file.
    """

    paths: list[tuple[str | None, Path]]
    left_out: list[str]


def has_splits(folder: Path) -> bool:
    """Whether a folder has a subfolder for a held-out split."""
    return any((folder / split).is_dir() for split in ("valid", "test"))


def find_midi(folder: Path, *, undivided: bool = False) -> MidiFiles:
    """Finds the MIDI files of a folder and its subfolders, or returns a single file.

    The name of a MIDI file is `*.mid`, `*.midi`, `*.kar` or `*.rmi`, in any case, or one of these
    with `.gz`.

    Args:
      folder: An existing folder, or a file of any name.
      undivided: Whether all files belong together, even if there is a subfolder `valid` or `test`.
        If not, the splits are then the subfolders `train`, `valid` and `test`.

    Raises:
      UserError: There are no MIDI files, or a subfolder is missing.
    """
    left_out: list[str] = []
    if undivided or not has_splits(folder):
        return MidiFiles([(None, path) for path in _midi_files(folder, left_out)], left_out)
    missing = [split for split in SPLITS if not (folder / split).is_dir()]
    if missing:
        raise UserError(
            f"expected the subfolders {', '.join(SPLITS)} in {str(folder)!r}; "
            f"missing: {', '.join(missing)}"
        )
    left_out += [
        f"{path}: left out: it is in none of the subfolders {', '.join(SPLITS)}"
        for path in _files(folder, left_out, without=SPLITS)
    ]
    paths = [(split, path) for split in SPLITS for path in _midi_files(folder / split, left_out)]
    return MidiFiles(paths, left_out)


def _midi_files(folder: Path, left_out: list[str]) -> list[Path]:
    """Returns the MIDI files of a folder, or the single file."""
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
    return paths


def _is_midi(path: Path) -> bool:
    return path.name.lower().removesuffix(".gz").endswith(_SUFFIXES)


def _files(folder: Path, left_out: list[str], without: Sequence[str] = ()) -> list[Path]:
    """Returns the files of a folder and its subfolders, except those in `without`, sorted by name.

    Everything else is added to `left_out`: links to folders, which may be circular, folders without
    permission, folders of runs, whose samples are no data, and special files.
    """

    def cannot_open(error: OSError) -> None:
        left_out.append(f"{error.filename}: left out: {error}")

    files = []
    for place, folders, names in os.walk(folder, onerror=cannot_open):
        if Path(place) == folder:
            folders[:] = [name for name in folders if name not in without]
        runs = [name for name in folders if RunFiles(Path(place, name)).has_begun]
        left_out += [f"{Path(place, name)}: left out: it is the folder of a run" for name in runs]
        folders[:] = [name for name in folders if name not in runs]
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
                left_out.append(f"{path}: left out: a broken link")
    return sorted(files)
