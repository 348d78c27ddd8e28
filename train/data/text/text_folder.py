"""Finds the text files in a user's folder, and the split of each."""

from __future__ import annotations

import os
from pathlib import Path

from train.data.splits import SPLITS
from train.data.text.left_out import LeftOut
from train.support.errors import UserError
from train.support.reading import refuse_special

__all__ = ["text_files_in"]

_SUFFIXES = (".txt", ".txt.gz")  # In any case.


def text_files_in(
    folder: Path, left_out: LeftOut, *, divided: bool = False
) -> dict[str, Path] | list[Path]:
    """Finds the text files of a folder, `*.txt` and `*.txt.gz` in any case.

    In a folder that is not divided, empty files are not read if there are others.

    Args:
      folder: A folder. Its subfolders are not read.
      left_out: Collects the names of what is not read.
      divided: Whether there must be a file for each split. If there is a file for validation or
        test, there must be one for each split in any case.

    Returns:
      The files by split if the folder is divided, and otherwise all of them, sorted by name.

    Raises:
      UserError: There are no text files, a split has no file or two, or a file is a pipe, a socket
        or a device.
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
    # If only one held-out split has a file, that file must not become part of the training data.
    if divided or named["valid"] or named["test"]:
        files = _one_each(folder, named)
        others += [path.name for path in texts if path not in files.values()]
        texts = list(files.values())
    elif not texts:
        there = "; ".join(["there are none", *LeftOut(subfolders=subfolders).remarks()])
        raise UserError(f"expected text files (*.txt) in the folder {str(folder)!r}; {there}")
    else:
        empty = [path for path in texts if path.is_file() and not path.stat().st_size]
        if len(empty) < len(texts):
            others += [path.name for path in empty]
            texts = [path for path in texts if path not in empty]
        files = texts
    for path in texts:  # All of them before the first is read.
        refuse_special(path)
    left_out.other_files += sorted(others)
    left_out.subfolders += subfolders
    return files


def _stem(path: Path) -> str:
    """Returns the name of a text file without its suffix, in lower case."""
    return path.name.lower().removesuffix(".gz").removesuffix(".txt")


def _one_each(folder: Path, named: dict[str, list[Path]]) -> dict[str, Path]:
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
    return {split: paths[0] for split, paths in named.items()}
