"""Folders of data that were prepared once: whole or not there, checked, made for one source."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import filelock

from tf_latentflow.pretrained.download import cache_dir
from train.support.digests import sha256_of, sha256_of_file
from train.support.errors import UserError
from train.support.files import clear_leftovers, read_json, write_json

__all__ = ["PreparedFolder"]

_FORMAT = 1  # Counts the changes after which a prepared folder means something else.
_FACTS = "prepared.json"
_SOURCE = "source.json"
_CURE = "make room there, after which the same command goes on, or set XDG_CACHE_HOME"


class PreparedFolder:
    """The folder in the user's cache for the data at a path.

    It is prepared under another name, `FOLDER.partial`, where a later process goes on, and takes
    its own name once it is whole.

    Attributes:
      path: The folder.
    """

    def __init__(self, dataset: Path, files: Sequence[Path], settings: Mapping[str, Any]) -> None:
        """Names the folder; touches nothing.

        Args:
          dataset: What the user named.
          files: What the data is made from.
          settings: How it is made, as JSON values. What was prepared from other files, from these
            as they were before, or with other settings, is replaced.

        Raises:
          OSError: If a file is not there.
        """
        place = dataset.absolute()
        key = hashlib.sha256(os.fsencode(place)).hexdigest()[:12]
        self._name = str(dataset)
        self._files = files
        self._source = {
            "format": _FORMAT,
            "path": str(place),
            "files": _fingerprint(files),
            **settings,
        }
        try:
            cache = cache_dir()
        except RuntimeError:  # A user without a home. Small data need none.
            cache = place.parent / ".cache"
        self.path = cache / "prepared" / f"{place.stem}-{key}"
        self._partial = self.path.with_name(f"{self.path.name}.partial")

    def exists(self) -> bool:
        """Whether it is there, whole, and made from this source."""
        return self._recorded(self.path, _SOURCE) == self._source

    def open(self, make: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
        """Returns the facts of the prepared data, and prepares it if need be.

        Args:
          make: Fills a folder, which may hold what an earlier call of it for the same source left,
            and returns the facts, as JSON values. Raises `ValueError` if it can make nothing of
            what is there, which is then removed.

        Raises:
          UserError: If the folder is damaged, or cannot be written, or a file changes meanwhile.
        """
        try:
            if not self.exists():
                self._prepare(make)
            return self._checked()
        except OSError as error:
            raise UserError(
                f"cannot keep the prepared data of {self._name!r} in {str(self.path)!r} "
                f"({error.strerror}): {_CURE}"
            ) from None

    def _prepare(self, make: Callable[[Path], dict[str, Any]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(f"{self.path}.lock")
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout:
            print(
                f"another process prepares {self._name}: waiting for it",
                file=sys.stderr,
                flush=True,
            )
            lock.acquire()
        with lock:
            clear_leftovers(self.path.parent)
            if not self.exists():  # The other process may have made it.
                self._make_whole(make)

    def _make_whole(self, make: Callable[[Path], dict[str, Any]]) -> None:
        partial = self._partial
        if self._recorded(partial, _SOURCE) != self._source:
            self._start_anew()
        try:
            facts = make(partial)
        except ValueError:
            self._start_anew()
            facts = make(partial)
        if _fingerprint(self._files) != self._source["files"]:
            raise UserError(
                f"expected data that stay as they are; a file of {self._name!r} changed while it "
                "was read; the same command reads it anew"
            )
        names = sorted(p.name for p in partial.iterdir() if p.name not in (_FACTS, _SOURCE))
        digests = {name: sha256_of_file(partial / name) for name in names}
        write_json(partial / _FACTS, {"files": digests, "facts": facts})
        if self.path.exists():  # Of another source. Who reads it keeps its open files.
            old = self.path.with_name(f".tmp-{os.getpid()}-{self.path.name}")
            os.rename(self.path, old)
            shutil.rmtree(old, ignore_errors=True)
        os.rename(partial, self.path)

    def _start_anew(self) -> None:
        shutil.rmtree(self._partial, ignore_errors=True)
        self._partial.mkdir()
        write_json(self._partial / _SOURCE, self._source)

    def _checked(self) -> dict[str, Any]:
        """Returns the facts, after every file has been compared with its digest."""
        recorded = self._recorded(self.path, _FACTS)
        damaged = _FACTS
        if isinstance(recorded, dict) and {"files", "facts"} <= recorded.keys():
            damaged = next(
                (n for n, sha in recorded["files"].items() if _digest(self.path / n) != sha), None
            )
        if damaged:
            raise UserError(
                f"expected the prepared data of {self._name!r} in {str(self.path)!r}; its file "
                f"{damaged} is damaged; delete this folder, and the same command prepares it anew"
            )
        return recorded["facts"]

    @staticmethod
    def _recorded(folder: Path, name: str) -> Any:
        try:
            return read_json(folder / name)
        except (OSError, ValueError):
            return None


def _digest(path: Path) -> str | None:
    try:
        return sha256_of_file(path)
    except FileNotFoundError:
        return None


def _fingerprint(paths: Iterable[Path]) -> str:
    """Returns a digest that changes when a file does: of names, sizes and times, not of content.

    The time of change (`ctime`) is set by the system with every write, whatever a program says of
    the time of modification.
    """

    def entries() -> Iterator[bytes]:
        for path in paths:
            found = path.stat()
            yield os.fsencode(path.absolute())
            yield f"\0{found.st_size}\0{found.st_mtime_ns}\0{found.st_ctime_ns}\n".encode()

    return sha256_of(entries())
