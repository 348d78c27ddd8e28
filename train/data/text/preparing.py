"""Splits a text of any size into three files, in bounded memory; can be interrupted and resumed."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from train.data.splits import SPLITS, split_of, splits_sha256
from train.data.store.folder import PreparedFolder
from train.data.store.records import Records, RecordWriter
from train.data.store.sealed import read_sealed, write_sealed
from train.data.store.stored import Stored
from train.data.text.left_out import MAX_LENGTH, LeftOut
from train.data.text.text_files import START, Block, Position, read_blocks
from train.data.text.unicode_form import forms_of_splits
from train.data.text.user_text import Files
from train.engine.progress import format_seconds

__all__ = ["BLOCK_BYTES", "COMMIT_BYTES", "find_prepared", "stored_splits"]

BLOCK_BYTES = 1 << 20  # Read at once from the source.
COMMIT_BYTES = 1 << 26  # Maximum amount of sentences to repeat after a kill.
_PROGRESS = "progress.json"
_SECONDS = 5.0  # Between lines of progress.
_NUM_CODE_POINTS = sys.maxunicode + 1


@dataclasses.dataclass
class _State:
    """How far a preparation has got, as JSON values."""

    file: int = 0
    position: Position = START
    counts: dict[str, int] = dataclasses.field(default_factory=lambda: dict.fromkeys(SPLITS, 0))
    digests: dict[str, list[str]] = dataclasses.field(
        default_factory=lambda: {split: [] for split in SPLITS}
    )
    num_filtered: dict[str, int] = dataclasses.field(
        default_factory=lambda: dict.fromkeys(SPLITS, 0)
    )
    characters: dict[str, str] = dataclasses.field(
        default_factory=lambda: dict.fromkeys(SPLITS, "")
    )
    num_blank: int = 0
    num_marks: int = 0

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Returns the state that was written last, or the initial state.

        Raises:
          ValueError: The file is damaged.
        """
        try:
            fields = read_sealed(folder / _PROGRESS)
            return cls(**{**fields, "position": Position(*fields["position"])})
        except FileNotFoundError:
            return cls()


def find_prepared(dataset: str, files: Files) -> PreparedFolder:
    """Returns the folder in which a text is or will be prepared; `stored_splits` reads it.

    Its facts are `sha256`, `characters` and `num_filtered` of the `Corpus`, `num_blank` and
    `num_marks` of `LeftOut`, and the `forms` of `forms_of_splits`.

    Args:
      dataset: The dataset as the user named it.
      files: Its files.

    Raises:
      OSError: A file does not exist.
    """
    paths = [path for _, path in files]
    settings = {"splits": [split for split, _ in files], "max_length": MAX_LENGTH}
    return PreparedFolder(Path(dataset), paths, settings, lambda place: _prepare(place, files))


def _prepare(folder: Path, files: Files) -> dict[str, Any]:
    """Writes `train.txt`, `valid.txt` and `test.txt`, each with an index; returns the facts."""
    state = _State.read(folder)
    with contextlib.ExitStack() as stack:
        writers = {
            split: stack.enter_context(
                RecordWriter(folder / f"{split}.txt", state.counts[split], state.digests[split])
            )
            for split in SPLITS
        }
        writer = _SplitWriter(writers, state)
        read = 0
        for number, block in _blocks(files, state, writer.left_out):
            writer.write(files[number][0], block.lines)
            read += sum(map(len, block.lines))
            if read >= COMMIT_BYTES:
                writer.commit(folder, number, block.end)
                read = 0
        writer.commit(folder, len(files), START)
    splits = stored_splits(folder)
    known = state.characters["train"]
    suspects = {s: splits[s] for s in SPLITS if not set(state.characters[s]) <= set(known)}
    return {
        "sha256": _digest(folder, state.counts),
        "characters": known,
        "forms": forms_of_splits(known, suspects),
        "num_filtered": state.num_filtered,
        "num_blank": state.num_blank,
        "num_marks": state.num_marks,
    }


def stored_splits(folder: Path) -> dict[str, Stored[str]]:
    """Returns the sentences in a prepared folder, by split, in the order of the source."""
    return {s: Stored(Records(folder / f"{s}.txt"), lambda r: r[:-1].decode()) for s in SPLITS}


class _SplitWriter:
    """Assigns sentences to the splits and writes them."""

    def __init__(self, writers: dict[str, RecordWriter], state: _State) -> None:
        self._writers = writers
        self._state = state
        self.left_out = LeftOut(num_blank=state.num_blank, num_marks=state.num_marks)
        self._seen = {split: np.zeros([_NUM_CODE_POINTS], bool) for split in SPLITS}
        for split, characters in state.characters.items():
            self._seen[split][_code_points(characters)] = True

    def write(self, split: str | None, sentences: Sequence[str]) -> None:
        """Writes sentences to a split, or to splits by hash if `split` is None."""
        by_split: dict[str, list[str]] = {split: [] for split in SPLITS}
        for sentence in sentences:
            own = split or split_of(sentence.encode())
            if len(sentence) <= MAX_LENGTH:
                by_split[own].append(sentence)
            else:
                self._state.num_filtered[own] += 1
        for own, kept in by_split.items():
            records = [f"{sentence}\n".encode() for sentence in kept]
            self._writers[own].extend(records, [len(sentence) for sentence in kept])
            self._seen[own][_code_points("".join(kept))] = True

    def commit(self, folder: Path, file: int, position: Position) -> None:
        """Flushes all sentences to the disk. A later process resumes at this file and position."""
        state = self._state
        state.file, state.position = file, position
        state.counts = {split: writer.commit() for split, writer in self._writers.items()}
        state.digests = {split: writer.digests for split, writer in self._writers.items()}
        state.characters = {
            split: "".join(map(chr, np.flatnonzero(seen))) for split, seen in self._seen.items()
        }
        state.num_blank, state.num_marks = self.left_out.num_blank, self.left_out.num_marks
        write_sealed(folder / _PROGRESS, dataclasses.asdict(state))


def _code_points(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le"), "<u4")


def _blocks(files: Files, state: _State, left_out: LeftOut) -> Iterator[tuple[int, Block]]:
    """Yields the remaining blocks of all files, with the numbers of the files.

    The progress is printed to standard error, at once and then every few seconds.
    """
    sizes = [path.stat().st_size for _, path in files]
    total = max(1, sum(sizes))
    begun = last = time.perf_counter()
    first: float | None = None
    start = state.position
    for number in range(state.file, len(files)):
        path = files[number][1]
        for block in read_blocks(path, left_out, start, BLOCK_BYTES):
            done = (sum(sizes[:number]) + block.share * sizes[number]) / total
            now = time.perf_counter()
            if first is None:
                first, begun = done, now
                resumes = state.file or start.offset
                print("resuming the preparation" if resumes else "preparing", file=sys.stderr)
            elif now - last >= _SECONDS:
                last = now
                left = (1 - done) * (now - begun) / max(done - first, 1e-9)
                eta = format_seconds(left)
                print(f"preparing: {done:.0%} of {total / 1e9:.2f} GB  ETA {eta}", file=sys.stderr)
            yield number, block
        start = START


def _digest(folder: Path, counts: dict[str, int]) -> str:
    """Returns the digest, which is that of the same sentences in memory; see `Corpus`."""

    def content(split: str) -> Iterator[bytes]:
        with open(folder / f"{split}.txt", "rb") as file:
            while chunk := file.read(BLOCK_BYTES):
                yield chunk

    return splits_sha256(counts, content)
