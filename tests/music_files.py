"""Small sets of music as files, for the tests that read them."""

from __future__ import annotations

import struct

import numpy as np
import scipy.io

from tests.paths import RELEASED_MUSIC
from train.data.music.rolls import Note, roll_of
from train.data.splits import SPLITS

__all__ = [
    "PIECE",
    "RELEASED_MUSIC",
    "SILENCE_AND_CHORD",
    "note_lists",
    "random_rolls",
    "same",
    "smf",
    "write_mat",
]

SILENCE_AND_CHORD = np.eye(88, dtype=np.uint8)[[0, 39]] * [[0], [1]]
PIECE = roll_of([Note(21, 0, 2), Note(60, 1, 3), Note(108, 3, 4)], 5)


def random_rolls(number, seed=0):
    rng = np.random.default_rng(seed)
    return [(rng.random([rng.integers(1, 9), 88]) < 0.05).astype(np.uint8) for _ in range(number)]


def write_mat(path, compressed=False, **changes):
    values = {"traindata": [PIECE, PIECE[1:]], "validdata": [PIECE], "testdata": [PIECE]}
    cells = {}
    for key, pieces in (values | changes).items():
        if isinstance(pieces, list):
            cells[key] = np.empty([1, len(pieces)], object)
            for index, piece in enumerate(pieces):
                cells[key][0, index] = piece
        elif pieces is not None:
            cells[key] = pieces
    scipy.io.savemat(path, cells, do_compression=compressed)


def note_lists(splits):
    return {
        split: [[(np.flatnonzero(step) + 21).tolist() for step in roll] for roll in splits[split]]
        for split in SPLITS
    }


def same(splits, others):
    return all(
        len(splits[split]) == len(others[split])
        and all(map(np.array_equal, splits[split], others[split]))
        for split in SPLITS
    )


def smf(*tracks, kind=1, division=96, promised=None):
    """A Standard MIDI File of these bytes, with an end of track after each."""
    promised = len(tracks) if promised is None else promised
    header = struct.pack(">4sLHHH", b"MThd", 6, kind, min(promised, 0xFFFF), division)
    return header + b"".join(
        struct.pack(">4sL", b"MTrk", len(track) + 4) + track + b"\0\xff\x2f\0" for track in tracks
    )
