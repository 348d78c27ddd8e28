"""Bach's four-part chorales from the corpus of music21; needs no network."""

from __future__ import annotations

import math
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

from tf_latentflow.pretrained.download import cache_dir
from train.data.music.rolls import HIGHEST_NOTE, LOWEST_NOTE, NUM_NOTES, Note, roll_of
from train.data.splits import split_rolls
from train.support.extras import require_extra
from train.support.files import clear_leftovers, whole_file

__all__ = ["bach_chorales"]

_RULE = 1  # Version of the selection and quantisation; part of the name of the cache.
_VOICES = ["Soprano", "Alto", "Tenor", "Bass"]
_STEPS_PER_BEAT = 2
_FILES_A_LINE = 50


def bach_chorales() -> dict[str, list[np.ndarray]]:
    """Returns the chorales as piano rolls in eighth notes, by split.

    These are the files of music21's Bach corpus whose parts are Soprano, Alto, Tenor and Bass and
    no others. Chorales with instrumental parts, other music, and second versions in other file
    formats are left out. A note sounds in the eighths at whose start it sounds. Repeats are played
    once, and pieces with the same notes count once. See `split_rolls` for the splits.

    Parsing takes about a minute, so the result is kept in the cache folder.

    Raises:
      UserError: music21 is not installed.
    """
    require_extra("music", "music21")
    path = cache_dir() / f"chorales-{_RULE}-music21-{version('music21')}.npz"
    rolls = _read_cache(path)
    if rolls is None:
        rolls = _parse_corpus()
        _write_cache(path, rolls)
    return split_rolls(rolls)


def _corpus_files() -> list[Path]:
    """Returns the files of Bach's works, sorted by name."""
    from music21 import corpus

    return sorted(Path(path) for path in corpus.getComposer("bach"))


def _parse_corpus() -> list[np.ndarray]:
    """Parses the corpus, and prints the progress to standard error."""
    files = _corpus_files()
    rolls = []
    for number, file in enumerate(files, start=1):
        if number % _FILES_A_LINE == 0 or number == len(files):
            print(f"chorales: parsed {number} of {len(files)} files of music21", file=sys.stderr)
        roll = _parse(file)
        if roll is not None:
            rolls.append(roll)
    return rolls


def _parse(file: Path) -> np.ndarray | None:
    """Returns the piano roll of a chorale, or None for another piece."""
    from music21 import converter

    # `corpus.parse` would load pickles from a temporary folder that other users can write to.
    parser = converter.Converter()
    parser.parseFileNoPickle(file)
    parts = list(parser.stream.parts)
    if [part.partName for part in parts] != _VOICES:
        return None
    notes = [
        Note(
            pitch.midi,
            math.ceil(note.offset * _STEPS_PER_BEAT),
            math.ceil((note.offset + note.quarterLength) * _STEPS_PER_BEAT),
        )
        for part in parts
        for note in part.flatten().notes
        for pitch in note.pitches
        if LOWEST_NOTE <= pitch.midi <= HIGHEST_NOTE
    ]
    roll = roll_of(notes, max((note.end for note in notes), default=0))
    sounding = np.flatnonzero(roll.any(axis=1))
    return roll[sounding[0] : sounding[-1] + 1] if len(sounding) else None


def _read_cache(path: Path) -> list[np.ndarray] | None:
    """Returns the piano rolls of an earlier run, or None if they are missing or damaged."""
    try:
        with np.load(path) as values:
            roll, lengths = values["roll"], values["lengths"]
        if roll.dtype != np.uint8 or roll.shape != (lengths.sum(), NUM_NOTES) or roll.max() > 1:
            return None
        return np.split(roll, np.cumsum(lengths)[:-1])
    except Exception:  # Damaged bytes can cause any error; the file is then written again.
        return None


def _write_cache(path: Path, rolls: list[np.ndarray]) -> None:
    """Keeps the piano rolls for the next run, if the cache folder is writable."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        clear_leftovers(path.parent)
        with whole_file(path) as temporary:
            lengths = [len(roll) for roll in rolls]
            np.savez_compressed(temporary, roll=np.concatenate(rolls), lengths=lengths)
    except OSError as error:
        print(f"chorales: not kept for the next run ({error})", file=sys.stderr)
