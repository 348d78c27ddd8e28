"""Files of pieces: those that the user gives, and places and names for new ones."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from train.data.music.midi import MidiPiece, read_midi
from train.support.errors import UserError
from train.support.ranges import refuse_flag
from train.support.reading import expanded, refuse_special

__all__ = ["check_folder", "piece_names", "read_piece", "unused_paths"]


def read_piece(path: Path, steps_per_beat: int, flag: str) -> MidiPiece:
    """Reads the MIDI file that a flag names; prints what is remarkable about it to standard error.

    Raises:
      UserError: It cannot be read.
    """
    path = expanded(path)
    refuse_special(path)
    if not path.is_file():
        raise UserError(
            f"{flag} expects a MIDI file; got {str(path)!r}, which "
            f"{'is a folder' if path.is_dir() else 'does not exist'}"
        )
    piece = read_midi(path, steps_per_beat)
    for remark in piece.remarks:
        print(f"{path}: {remark}", file=sys.stderr)
    if piece.num_merged:
        print(
            f"{path}: {piece.num_merged} of its notes sound together with the note before them, "
            f"since a time step is 1/{steps_per_beat} of a beat",
            file=sys.stderr,
        )
    return piece


def check_folder(folder: Path) -> None:
    """Checks --out, the folder for new pieces, which need not exist.

    Raises:
      UserError: It is a file.
    """
    if folder.exists() and not folder.is_dir():
        refuse_flag("out", "a folder", repr(str(folder)))


def piece_names(given: str | None, way: str, seed: int, num: int) -> list[str]:
    """Names of new pieces without their suffix.

    Args:
      given: What the pieces they are made from are called; None for new samples.
      way: The flag with which they are made, without its dashes.
      seed: Seed of the samples.
      num: Number of samples.

    >>> piece_names("tune", "continue", 7, 2), piece_names(None, "", 0, 1)
    (['tune-continue-7-0', 'tune-continue-7-1'], ['sample-0-0'])
    """
    name = f"{given}-{way}" if given else "sample"
    return [f"{name}-{seed}-{i}" for i in range(num)]


def unused_paths(folder: Path, names: Sequence[str], contents: Sequence[bytes]) -> list[Path]:
    """Paths for files that may be there already, but overwrite no other file.

    They are `NAME.mid` or, if a file of that name has other content, `NAME-2.mid`, `NAME-3.mid`,
    ... with the same number for all.
    """
    suffixes = itertools.chain([""], (f"-{k}" for k in itertools.count(2)))
    batches = ([folder / f"{name}{suffix}.mid" for name in names] for suffix in suffixes)
    return next(paths for paths in batches if all(map(_is_free, paths, contents)))


def _is_free(path: Path, content: bytes) -> bool:
    return not path.exists() or path.read_bytes() == content
