"""Files of pieces: those that the user gives, and names for new ones."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from train.data.music.midi import MidiPiece, read_midi
from train.support.errors import UserError
from train.support.reading import refuse_special

__all__ = ["read_piece", "unused_path"]


def read_piece(path: Path, steps_per_beat: int, flag: str) -> MidiPiece:
    """Reads the MIDI file that a flag names; prints what is remarkable about it to standard error.

    Raises:
      UserError: It cannot be read.
    """
    path = path.expanduser()
    refuse_special(path)
    if not path.is_file():
        raise UserError(
            f"{flag} expects a MIDI file; got {str(path)!r}, which "
            f"{'is a folder' if path.is_dir() else 'does not exist'}"
        )
    piece = read_midi(path, steps_per_beat)
    for remark in piece.remarks:
        print(f"{path}: {remark}", file=sys.stderr)
    return piece


def unused_path(folder: Path, name: str, content: bytes) -> Path:
    """`NAME.mid` or, if that has other content, the first of `NAME-2.mid`, ... that has not."""
    names = itertools.chain([name], (f"{name}-{k}" for k in itertools.count(2)))
    paths = (folder / f"{name}.mid" for name in names)
    return next(path for path in paths if not path.exists() or path.read_bytes() == content)
