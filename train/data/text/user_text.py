"""Reads a user's own text: a file, or the text files of a folder."""

from __future__ import annotations

from pathlib import Path

from train.data.splits import SPLITS
from train.data.text.left_out import LeftOut
from train.data.text.text_files import read_lines
from train.data.text.text_folder import text_files_in
from train.support.errors import UserError
from train.support.reading import refuse_special

__all__ = ["has_splits", "read_path", "read_splits"]


def has_splits(dataset: str) -> bool:
    """Whether a path is a folder with a file for validation or test.

    Raises:
      UserError: If it is a folder without text files.
    """
    path = Path(dataset)
    return path.is_dir() and isinstance(text_files_in(path, LeftOut()), dict)


def read_path(dataset: str, left_out: LeftOut) -> dict[str, list[str]] | list[str]:
    """Reads a file or a folder, and tells `left_out` what is not read.

    Returns:
      The sentences by split, or all of them if nobody has divided them.

    Raises:
      UserError: If there is no such path, or a file cannot be read.
    """
    path = Path(dataset)
    if path.is_dir():
        files = text_files_in(path, left_out)
        if isinstance(files, dict):
            return _read_each(files, left_out)
        return [line for file in files for line in read_lines(file, left_out)]
    refuse_special(path)
    if not path.is_file():
        raise UserError(
            f"expected a dataset: pydoc, ptb, or an existing text file or folder; got {dataset!r}"
        )
    return read_lines(path, left_out)


def read_splits(folder: Path, left_out: LeftOut) -> dict[str, list[str]]:
    """Reads `train.txt`, `valid.txt` and `test.txt`, and tells `left_out` what is not read.

    Raises:
      UserError: If one is missing, or cannot be read.
    """
    if not folder.is_dir():
        raise UserError(
            f"expected a folder with train.txt, valid.txt and test.txt; got {str(folder)!r}"
        )
    return _read_each(text_files_in(folder, left_out, divided=True), left_out)


def _read_each(files: dict[str, Path], left_out: LeftOut) -> dict[str, list[str]]:
    return {split: read_lines(files[split], left_out) for split in SPLITS}
