"""Finds and reads a user's own text: a file, or the text files of a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from train.data.splits import SPLITS
from train.data.text.built_in import BUILT_IN
from train.data.text.left_out import LeftOut
from train.data.text.releases import RELEASES
from train.data.text.text_files import read_blocks
from train.support.errors import UserError
from train.support.reading import refuse_special

__all__ = ["Files", "find_splits", "find_texts", "has_splits", "read_files"]

Files = Sequence[tuple[str | None, Path]]
"""The files of a text in the order in which they are read, with their splits; None without."""

_SUFFIXES = (".txt", ".txt.gz")  # In any case.


def has_splits(dataset: str) -> bool:
    """Whether a path is a folder with a file for validation or test.

    Raises:
      UserError: It is a folder without text files.
    """
    path = Path(dataset)
    return path.is_dir() and _text_files(path, LeftOut())[0][0] is not None


def find_texts(dataset: str, left_out: LeftOut) -> Files:
    """Finds the text files of a path; adds to `left_out` what will not be read.

    Raises:
      UserError: There is no such path, or it has no text files.
    """
    path = Path(dataset)
    if path.is_dir():
        return _text_files(path, left_out)
    refuse_special(path)
    if not path.is_file():
        raise UserError(
            f"expected a dataset: {', '.join([*BUILT_IN, *RELEASES])}, or an existing text file or "
            f"folder; got {dataset!r}"
        )
    return [(None, path)]


def find_splits(folder: Path, left_out: LeftOut) -> Files:
    """Finds `train.txt`, `valid.txt` and `test.txt`; adds to `left_out` what will not be read.

    Raises:
      UserError: A file is missing.
    """
    if not folder.is_dir():
        raise UserError(
            f"expected a folder with train.txt, valid.txt and test.txt; got {str(folder)!r}"
        )
    return _text_files(folder, left_out, divided=True)


def read_files(files: Files, left_out: LeftOut) -> Iterator[tuple[str | None, str]]:
    """Yields every sentence with its split; see `read_blocks`.

    Raises:
      UserError: A file cannot be read.
    """
    for split, path in files:
        for block in read_blocks(path, left_out):
            for line in block.lines:
                yield split, line


def _text_files(folder: Path, left_out: LeftOut, *, divided: bool = False) -> Files:
    """Finds the text files of a folder, `*.txt` and `*.txt.gz` in any case, not in its subfolders.

    If it is `divided`, or has a file for validation or test, there must be one file for each split.
    Otherwise empty files are not read if there are others.
    """
    texts, others, subfolders = [], [], []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir():
                subfolders.append(entry.name)
            elif entry.name.lower().endswith(_SUFFIXES):
                texts.append(Path(entry.path))
            else:
                others.append(entry.name)
    named = {split: [path for path in texts if _stem(path) == split] for split in SPLITS}
    files: Files
    # If only one held-out split has a file, that file must not become part of the training data.
    if divided or named["valid"] or named["test"]:
        files = _one_each(folder, named)
    elif not texts:
        there = "; ".join(["there are none", *LeftOut(subfolders=subfolders).remarks()])
        raise UserError(f"expected text files (*.txt) in the folder {str(folder)!r}; {there}")
    else:
        with_text = [path for path in texts if not path.is_file() or path.stat().st_size]
        files = [(None, path) for path in with_text or texts]
    read = [path for _, path in files]
    for path in read:  # All of them before the first is read.
        refuse_special(path)
    others += [path.name for path in texts if path not in read]
    left_out.other_files += sorted(others)
    left_out.subfolders += subfolders
    return files


def _stem(path: Path) -> str:
    """Returns the name of a text file without its suffix, in lower case."""
    name = path.name.lower()
    return next(name.removesuffix(suffix) for suffix in _SUFFIXES if name.endswith(suffix))


def _one_each(folder: Path, named: dict[str, list[Path]]) -> list[tuple[str, Path]]:
    """Returns the one file of each split."""
    missing = [f"{split}.txt" for split, paths in named.items() if not paths]
    if missing:
        raise UserError(
            f"expected train.txt, valid.txt and test.txt in {str(folder)!r}; "
            f"missing: {', '.join(missing)}"
        )
    for split, paths in named.items():
        if len(paths) > 1:
            raise UserError(
                f"expected one file for the split {split} in {str(folder)!r}; got "
                f"{', '.join(path.name for path in paths)}; keep only one of them"
            )
    return [(split, path) for split, (path,) in named.items()]
