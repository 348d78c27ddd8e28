"""Reads the pieces of MIDI files, each once, and notes what was left out."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from train.data.music.midi import read_midi
from train.support.errors import UserError

__all__ = ["Piece", "read_pieces"]

_FILES_A_LINE = 100


class Piece(NamedTuple):
    """The piece in a MIDI file.

    Attributes:
      file: Number of the file.
      roll: Its piano roll, or None if it was left out.
      digest: Digest of the roll.
    """

    file: int
    roll: np.ndarray | None
    digest: bytes


def read_pieces(
    paths: Sequence[tuple[str | None, Path]],
    steps_per_beat: int,
    left_out: list[str],
    before: Sequence[tuple[int, bytes]] = (),
    start: int = 0,
) -> Iterator[Piece]:
    """Yields a piece for each file; a repeated piece in the same split counts once.

    The progress is printed to standard error.

    Args:
      paths: The files with their splits.
      steps_per_beat: Time steps per quarter note.
      left_out: Gets a line for each file that was left out or lost notes.
      before: File and digest of the pieces in files before `start`.
      start: Number of the first file to read.
    """
    names = {(paths[file][0], digest): paths[file][1] for file, digest in before}
    for file in range(start, len(paths)):
        split, path = paths[file]
        if (file + 1) % _FILES_A_LINE == 0:
            print(f"reading MIDI files: {file + 1} of {len(paths)}", file=sys.stderr)
        try:
            piece = read_midi(path, steps_per_beat)
        except (UserError, OSError) as error:
            left_out.append(f"{path}: left out: {error}")
            yield Piece(file, None, b"")
            continue
        digest = hashlib.sha256(piece.roll.tobytes()).digest()
        same = names.setdefault((split, digest), path)
        if same != path:
            left_out.append(f"{path}: left out: the same notes as {same}")
            yield Piece(file, None, digest)
            continue
        left_out += [f"{path}: {remark}" for remark in piece.remarks]
        yield Piece(file, piece.roll, digest)
