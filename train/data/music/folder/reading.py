"""A user's own folder of MIDI files, as three splits of piano rolls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from train.data.music.folder.files import MidiFiles, find_midi
from train.data.music.folder.pieces import read_pieces
from train.data.music.folder.prepared import find_prepared, open_prepared
from train.data.splits import SPLITS, split_digests
from train.data.store.stored import Stored
from train.support.errors import UserError

__all__ = ["MOST_IN_MEMORY", "read_midi_files", "read_midi_folder"]

MOST_IN_MEMORY = 1000  # Files; the piano roll of a long piece takes a megabyte.


def read_midi_folder(
    folder: Path, steps_per_beat: int, most_in_memory: int = MOST_IN_MEMORY
) -> tuple[Mapping[str, Sequence[np.ndarray]], list[str], Path | None]:
    """Reads the MIDI files of a folder and its subfolders, sorted by name; see `find_midi`.

    With a subfolder `valid` or `test`, the splits are its subfolders `train`, `valid` and `test`.
    Otherwise the pieces are split 8:1:1 by their content, and repeated pieces count once.

    Args:
      folder: An existing folder.
      steps_per_beat: Time steps per quarter note.
      most_in_memory: Maximum number of files to keep in memory; more are prepared once, in the
        user's cache.

    Returns:
      The piano rolls by split; a line for each file that was left out or lost notes; the folder
      from which rolls are read when they are needed, or None if they are in memory.

    Raises:
      UserError: There are no MIDI files, a subfolder is missing, or too few files can be used.
    """
    files = find_midi(folder)
    prepared = find_prepared(folder, files, steps_per_beat)
    if len(files.paths) > most_in_memory or prepared.exists():
        rolls, pieces, lines = open_prepared(prepared)
        place = prepared.path
    else:
        lines, place = [], None
        found = read_pieces(files.paths, steps_per_beat, lines)
        kept = [piece for piece in found if piece.roll is not None]
        rolls = [piece.roll for piece in kept]
        pieces = [(piece.file, piece.digest) for piece in kept]
    left_out = [*files.left_out, *lines]
    splits = {
        split: rolls.at(numbers) if isinstance(rolls, Stored) else [rolls[i] for i in numbers]
        for split, numbers in _split_pieces(folder, files, pieces, left_out).items()
    }
    return splits, left_out, place


def read_midi_files(folder: Path, steps_per_beat: int) -> tuple[list[np.ndarray], list[str]]:
    """Reads the MIDI files of a folder and its subfolders, or one file, into memory.

    Returns:
      The different piano rolls, and a line for each file that was left out or lost notes.

    Raises:
      UserError: There are no MIDI files.
    """
    paths, left_out = find_midi(folder, undivided=True)
    pieces = read_pieces(paths, steps_per_beat, left_out)
    return [piece.roll for piece in pieces if piece.roll is not None], left_out


def _split_pieces(
    folder: Path, files: MidiFiles, pieces: Sequence[tuple[int, bytes]], left_out: Sequence[str]
) -> dict[str, list[int]]:
    """Returns the numbers of the pieces, given by file and digest, in each split.

    Raises:
      UserError: A split would be empty.
    """
    if files.paths[0][0] is None:
        numbers = {digest: number for number, (_, digest) in enumerate(pieces)}
        if len(numbers) < len(SPLITS):
            raise UserError(
                f"expected at least {len(SPLITS)} different MIDI files that can be used in "
                f"{str(folder)!r}, one for each split; got {len(numbers)}{_first(left_out)}"
            )
        by_split = split_digests(numbers)
        return {split: [numbers[digest] for digest in by_split[split]] for split in SPLITS}
    splits: dict[str, list[int]] = {split: [] for split in SPLITS}
    for number, (file, _) in enumerate(pieces):
        splits[files.paths[file][0]].append(number)
    for split in SPLITS:
        if not splits[split]:
            own = [line for line in left_out if line.startswith(str(folder / split))]
            raise UserError(
                f"expected a MIDI file that can be used in {str(folder / split)!r}; "
                f"there is none{_first(own)}"
            )
    return splits


def _first(left_out: Sequence[str]) -> str:
    """Returns the end of an error message, with the first remark."""
    if len(left_out) > 1:
        return f"; {len(left_out)} remarks, the first: {left_out[0]}"
    return f"; {left_out[0]}" if left_out else ""
