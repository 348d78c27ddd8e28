"""The piano rolls of many MIDI files on disk, parsed once; can be interrupted and resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from train.data.music.folder.files import MidiFiles
from train.data.music.folder.pieces import read_pieces
from train.data.music.rolls import pack_roll, unpack_roll
from train.data.store.folder import PreparedFolder
from train.data.store.records import Records, RecordWriter
from train.data.store.sealed import read_sealed, write_sealed
from train.data.store.stored import Stored

__all__ = ["find_prepared", "open_prepared"]

COMMIT_FILES = 500  # Maximum number of files to read again after a kill.
_PROGRESS = "progress.json"
_ROLLS = "rolls"  # The bits of all rolls, step by step.
_PIECES = "pieces"  # For each roll, the number of its file, int64, and its digest.


def find_prepared(folder: Path, files: MidiFiles, steps_per_beat: int) -> PreparedFolder:
    """Returns the folder in which MIDI files are or will be prepared."""
    settings = {
        "splits": sorted({split or "" for split, _ in files.paths}),
        "steps_per_beat": steps_per_beat,
    }
    paths = [path for _, path in files.paths]
    return PreparedFolder(
        folder,
        paths,
        settings,
        lambda place: _prepare(place, files, steps_per_beat),
        variant=f"-{steps_per_beat}",  # Two runs may use one folder at once.
    )


def open_prepared(
    folder: PreparedFolder,
) -> tuple[Stored[np.ndarray], list[tuple[int, bytes]], list[str]]:
    """Returns prepared piano rolls, and prepares them first if necessary.

    Args:
      folder: The result of `find_prepared`.

    Returns:
      The rolls; the file and the digest of each; a line for each file that was left out or lost
      notes.

    Raises:
      UserError: The folder is damaged, or the disk is full.
    """
    facts = folder.open()
    rolls = Stored(Records(folder.path / _ROLLS), unpack_roll)
    return rolls, _pieces(folder.path), facts["left_out"]


def _prepare(folder: Path, files: MidiFiles, steps_per_beat: int) -> dict[str, Any]:
    """Fills a folder, and returns the remarks on the files; see `PreparedFolder`."""
    try:
        state = read_sealed(folder / _PROGRESS)
    except FileNotFoundError:
        state = {"file": 0, "count": 0, "rolls": [], "pieces": [], "left_out": []}
    count, left_out = state["count"], state["left_out"]
    with (
        RecordWriter(folder / _ROLLS, count, state["rolls"]) as rolls,
        RecordWriter(folder / _PIECES, count, state["pieces"]) as pieces,
    ):

        def commit(file: int) -> None:
            rolls.commit()
            done = {"file": file, "count": pieces.commit(), "left_out": left_out}
            digests = {"rolls": rolls.digests, "pieces": pieces.digests}
            write_sealed(folder / _PROGRESS, done | digests)

        before = _pieces(folder)[:count]
        for piece in read_pieces(files.paths, steps_per_beat, left_out, before, state["file"]):
            if piece.roll is not None:
                rolls.extend([pack_roll(piece.roll)], [len(piece.roll)])
                pieces.extend([piece.file.to_bytes(8, "little") + piece.digest], [1])
            if (piece.file + 1) % COMMIT_FILES == 0:
                commit(piece.file + 1)
        commit(len(files.paths))
    return {"left_out": left_out}


def _pieces(folder: Path) -> list[tuple[int, bytes]]:
    """Returns the file and the digest of each roll."""
    entries = Stored(Records(folder / _PIECES), bytes)
    return [(int.from_bytes(entry[:8], "little"), entry[8:]) for entry in entries]
