"""Records of different sizes in a file, read by number, in bounded memory."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from train.support.errors import UserError

__all__ = ["FILES", "RecordWriter", "Records"]

# Suffixes of the three files of a store. All numbers are little-endian.
FILES = ("", ".index", ".lengths")
_PLACE = np.dtype("<i8")
_LENGTH = np.dtype("<i4")
_AT_ONCE = 1024  # Number of consecutive records to read at once.


class RecordWriter:
    """Appends records to a store.

    | file           | content                                                             |
    |----------------|---------------------------------------------------------------------|
    | `NAME`         | the records, one after the other                                    |
    | `NAME.index`   | int64 `[N + 1]`: the start of each record, and the end of the last  |
    | `NAME.lengths` | int32 `[N]`: the length that the user of the store gave each record |
    """

    def __init__(self, path: Path, count: int = 0, digests: Sequence[str] = ()) -> None:
        """Keeps the first `count` records, and removes later ones of a killed process.

        Args:
          path: The file of the records.
          count: The number returned by `commit`.
          digests: The `digests` after that.

        Raises:
          ValueError: There are fewer records, or others.
        """
        self.count = count
        self._size = 0
        files = [path.with_name(path.name + suffix) for suffix in FILES]
        if count and files[1].exists():
            places = np.fromfile(files[1], _PLACE, count=1, offset=count * _PLACE.itemsize)
            self._size = int(places[0]) if len(places) else 0
        sizes = (self._size, (count + 1) * _PLACE.itemsize, count * _LENGTH.itemsize)
        there = [file.stat().st_size if file.exists() else 0 for file in files]
        if count and any(found < size for found, size in zip(there, sizes, strict=True)):
            raise ValueError(f"expected {count} records in {path}; got fewer")
        self._hashes = [hashlib.sha256(start) for start in (b"", bytes(_PLACE.itemsize), b"")]
        if count:
            self._hashes = [_hash_of(*each) for each in zip(files, sizes, strict=True)]
            if self.digests != [*digests]:
                raise ValueError(f"expected the records in {path} as they were written; got others")
        mode = "r+b" if count else "w+b"
        self._files = [open(file, mode) for file in files]  # noqa: SIM115  `__exit__` closes them.
        for stream, size in zip(self._files, sizes, strict=True):
            stream.truncate(size)
            stream.seek(size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with contextlib.ExitStack() as files:
            for file in self._files:
                files.enter_context(file)

    def extend(self, records: Sequence[bytes], lengths: Sequence[int]) -> None:
        """Appends records with their lengths."""
        if not records:
            return
        ends = self._size + np.cumsum([len(record) for record in records], dtype=_PLACE)
        self._write([b"".join(records), ends.tobytes(), np.asarray(lengths, _LENGTH).tobytes()])
        self._size = int(ends[-1])
        self.count += len(records)

    def commit(self) -> int:
        """Flushes the records so far to the disk, and returns their number."""
        for file in self._files:
            file.flush()
            os.fsync(file.fileno())
        return self.count

    @property
    def digests(self) -> list[str]:
        """The SHA-256 of each file so far."""
        return [each.hexdigest() for each in self._hashes]

    def _write(self, contents: Sequence[bytes]) -> None:
        for file, digest, content in zip(self._files, self._hashes, contents, strict=True):
            file.write(content)
            digest.update(content)


def _hash_of(path: Path, size: int) -> Any:
    """The hash of the first bytes of a file, to go on with."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while size and (chunk := file.read(min(size, 1 << 20))):
            digest.update(chunk)
            size -= len(chunk)
    return digest


class Records:
    """Reads the records of a store.

    The file is read, and not mapped: the pages of a mapped file count as memory of the process, and
    records in random order would touch all of them.

    Attributes:
      lengths: int32 `[N]`, in memory.
    """

    def __init__(self, path: Path) -> None:
        """Opens a store.

        Raises:
          UserError: The size of a file does not agree with the index.
          OSError: A file cannot be read.
        """
        data, index, lengths = (path.with_name(path.name + suffix) for suffix in FILES)
        self._path = path
        self.lengths = np.fromfile(lengths, _LENGTH)
        self._data = open(data, "rb", buffering=0)  # noqa: SIM115  Open as long as this object.
        self._index = open(index, "rb", buffering=0)  # noqa: SIM115

    def __len__(self) -> int:
        return len(self.lengths)

    def read_in_turn(self, numbers: range) -> Iterator[bytes]:
        """Yields consecutive records, several times faster than `read`.

        Raises:
          UserError: As for `read`.
        """
        for start in range(numbers.start, numbers.stop, _AT_ONCE):
            yield from self._consecutive(start, min(_AT_ONCE, numbers.stop - start))

    def read(self, number: int) -> bytes:
        """Returns a record.

        Raises:
          UserError: The file has been truncated or changed since it was opened.
        """
        (record,) = self._consecutive(number, 1)
        return record

    def _consecutive(self, start: int, count: int) -> list[bytes]:
        size = (count + 1) * _PLACE.itemsize
        self._index.seek(start * _PLACE.itemsize)
        content = self._index.read(size)
        if len(content) == size:
            places = np.frombuffer(content, _PLACE).tolist()
            first, end = places[0], places[-1]
            if first >= 0 and places == sorted(places):
                self._data.seek(first)
                data = self._data.read(end - first)
                if len(data) == end - first:
                    return [data[a - first : b - first] for a, b in itertools.pairwise(places)]
        raise UserError(
            f"expected {len(self)} records in {str(self._path)!r}; it was truncated or changed "
            "after it was opened; repeat the command, which checks it and says what to do"
        )
