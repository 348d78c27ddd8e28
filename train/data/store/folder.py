"""Folders of prepared data: complete or absent, verified, and made from one source."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tf_latentflow.pretrained.download import cache_dir
from train.data.store.sealed import read_sealed, write_sealed
from train.support.digests import sha256_of, sha256_of_file
from train.support.errors import UserError
from train.support.files import clear_leftovers, read_json, replace_folder, write_json
from train.support.lock import one_at_a_time

__all__ = ["PreparedFolder"]

_FORMAT = 2  # Incremented when the files of a prepared folder change their meaning.
_FACTS = "prepared.json"
_SOURCE = "source.json"
_CURE = "make room there, and repeat the command to continue, or set XDG_CACHE_HOME"
_CURE_OF_RIGHTS = "allow this user to read and write there, or set XDG_CACHE_HOME"
_CURES = {
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _CURE_OF_RIGHTS),
    errno.EEXIST: "remove what is there",  # A file, or a link to nothing.
    errno.EIO: "check this disk, or set XDG_CACHE_HOME",
}


class PreparedFolder:
    """The folder in the user's cache for the data at a path.

    It is prepared as `FOLDER.partial`, where a later process can resume, and renamed when it is
    complete.

    Attributes:
      path: The folder.
    """

    def __init__(
        self,
        dataset: Path,
        files: Sequence[Path],
        settings: Mapping[str, Any],
        make: Callable[[Path], dict[str, Any]],
        variant: str = "",
    ) -> None:
        """Computes the path of the folder; touches nothing.

        Args:
          dataset: The dataset as the user named it.
          files: The source files.
          settings: Settings of the preparation, as JSON values. Data prepared with other settings,
            from other files, or from earlier versions of these files is replaced.
          make: Fills a folder and returns the facts, as JSON values. The folder may contain the
            files of an interrupted call for the same source. If it cannot use them, it raises
            `ValueError`, and they are removed.
          variant: Ends the folder's name. Data of other variants are kept.

        Raises:
          OSError: A file does not exist.
        """
        place = dataset.absolute()
        key = hashlib.sha256(os.fsencode(place)).hexdigest()[:12]
        self._name = str(dataset)
        self._files = files
        self._make = make
        self._source = {
            "format": _FORMAT,
            "path": str(place),
            "files": _fingerprint(files),
            **settings,
        }
        try:
            cache = cache_dir()
        except FileNotFoundError:  # The user has no home folder, which only large data need.
            cache = place.parent / ".cache"
        self.path = cache / "prepared" / f"{place.stem}-{key}{variant}"
        self._partial = self.path.with_name(f"{self.path.name}.partial")

    def exists(self) -> bool:
        """Whether the folder exists, is complete, and was made from this source."""
        return self._recorded(self.path, _SOURCE) == self._source

    def open(self) -> dict[str, Any]:
        """Returns the facts about the prepared data; prepares it first if necessary.

        Raises:
          UserError: The folder is damaged or cannot be written, or a source file changes meanwhile.
        """
        try:
            if not self.exists():
                self._prepare()
            return self._checked()
        except OSError as error:
            place = (error.errno in _CURES and error.filename) or self.path
            raise UserError(
                f"cannot keep the prepared data of {self._name!r} in {str(place)!r} "
                f"({error.strerror}): {_CURES.get(error.errno, _CURE)}"
            ) from None

    def _prepare(self) -> None:
        with one_at_a_time(self.path, self._say_that_it_waits):
            clear_leftovers(self.path.parent, self._partial)
            if not self.exists():  # The other process may have finished it.
                self._make_whole()

    def _say_that_it_waits(self) -> None:
        print(f"another process is preparing {self._name}: waiting for it", file=sys.stderr)

    def _make_whole(self) -> None:
        partial = self._partial
        if self._recorded(partial, _SOURCE) != self._source:
            self._start_anew()
        try:
            facts = self._make(partial)
        except ValueError:
            self._start_anew()
            facts = self._make(partial)
        if _fingerprint(self._files) != self._source["files"]:
            raise UserError(
                f"a file of {self._name!r} changed while it was being read; repeat the command to "
                "read it again"
            )
        names = sorted(p.name for p in partial.iterdir() if p.name not in (_FACTS, _SOURCE))
        digests = {name: sha256_of_file(partial / name) for name in names}
        write_sealed(partial / _FACTS, {"files": digests, "facts": facts})
        # One of another source may be there. Processes that read it keep their open files.
        replace_folder(partial, self.path)

    def _start_anew(self) -> None:
        shutil.rmtree(self._partial, ignore_errors=True)
        self._partial.mkdir()
        write_json(self._partial / _SOURCE, self._source)

    def _checked(self) -> dict[str, Any]:
        """Compares every file with its digest, and returns the facts."""
        try:
            recorded = read_sealed(self.path / _FACTS)
            files = recorded["files"].items()
            damaged = next((n for n, sha in files if _digest(self.path / n) != sha), None)
        except (FileNotFoundError, ValueError):
            damaged = _FACTS
        if damaged:
            raise UserError(
                f"expected the prepared data of {self._name!r} in {str(self.path)!r}; its file "
                f"{damaged} is damaged; delete this folder, and repeat the command to prepare it "
                "again"
            )
        return recorded["facts"]

    @staticmethod
    def _recorded(folder: Path, name: str) -> Any:
        try:
            return read_json(folder / name)
        except (OSError, ValueError, RecursionError):
            return None


def _digest(path: Path) -> str | None:
    try:
        return sha256_of_file(path)
    except (FileNotFoundError, IsADirectoryError):
        return None


def _fingerprint(paths: Iterable[Path]) -> str:
    """Returns a digest of the names, sizes and times of files, which changes when a file does.

    It includes the time of change (`ctime`), which the system sets at every write, and which a
    program cannot set as it can the time of modification.
    """

    def entries() -> Iterator[bytes]:
        for path in paths:
            found = path.stat()
            yield os.fsencode(path.absolute())
            yield f"\0{found.st_size}\0{found.st_mtime_ns}\0{found.st_ctime_ns}\n".encode()

    return sha256_of(entries())
