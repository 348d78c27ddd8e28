"""Reads a user's own text: a file, or the text files of a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from train.data.splits import SPLITS
from train.data.text.left_out import LeftOut
from train.data.text.text_files import read_lines
from train.data.text.text_folder import text_files_in
from train.support.errors import UserError
from train.support.reading import refuse_special

__all__ = ["Files", "find_splits", "find_texts", "has_splits", "in_order", "read_files"]

Files = dict[str, Path] | list[Path]
"""The files of a text: one for each split, or a list of files without splits."""


def has_splits(dataset: str) -> bool:
    """Whether a path is a folder with a file for validation or test.

    Raises:
      UserError: It is a folder without text files.
    """
    path = Path(dataset)
    return path.is_dir() and isinstance(text_files_in(path, LeftOut()), dict)


def find_texts(dataset: str, left_out: LeftOut) -> Files:
    """Finds the text files of a path; adds to `left_out` what will not be read.

    Raises:
      UserError: There is no such path, or it has no text files.
    """
    path = Path(dataset)
    if path.is_dir():
        return text_files_in(path, left_out)
    refuse_special(path)
    if not path.is_file():
        raise UserError(
            f"expected a dataset: pydoc, ptb, or an existing text file or folder; got {dataset!r}"
        )
    return [path]


def find_splits(folder: Path, left_out: LeftOut) -> Files:
    """Finds `train.txt`, `valid.txt` and `test.txt`; adds to `left_out` what will not be read.

    Raises:
      UserError: A file is missing.
    """
    if not folder.is_dir():
        raise UserError(
            f"expected a folder with train.txt, valid.txt and test.txt; got {str(folder)!r}"
        )
    return text_files_in(folder, left_out, divided=True)


def read_files(files: Files, left_out: LeftOut) -> Iterator[tuple[str | None, str]]:
    """Yields every sentence with its split, which is None for files without splits.

    Raises:
      UserError: A file cannot be read.
    """
    for split, path in in_order(files):
        for line in read_lines(path, left_out):
            yield split, line


def in_order(files: Files) -> list[tuple[str | None, Path]]:
    """Returns the files in the order in which they are read, with their splits."""
    if isinstance(files, dict):
        return [(split, files[split]) for split in SPLITS]
    return [(None, path) for path in files]
