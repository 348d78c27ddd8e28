"""A user's text on disk, dealt to splits: the sentences of each in a file, one a line."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from train.data.splits import SPLITS
from train.data.store.folder import PreparedFolder
from train.data.store.records import Records
from train.data.store.stored import Stored
from train.data.text.preparing import prepare_text
from train.data.text.user_text import Files, in_order

__all__ = ["PreparedText", "find_prepared", "open_prepared"]


class PreparedText(NamedTuple):
    """What was made of a text.

    Attributes:
      folder: Where it is.
      splits: The sentences by split, in the order of the source.
      sha256: Digest over the three splits.
      characters: Those that occur in the training split, sorted.
      forms: A remark for each split that is in another Unicode form.
      num_filtered: By split, how many sentences were left out as too long.
      num_blank: Lines without text.
      num_marks: Byte order marks within the text.
    """

    folder: Path
    splits: dict[str, Stored[str]]
    sha256: str
    characters: str
    forms: list[str]
    num_filtered: dict[str, int]
    num_blank: int
    num_marks: int


def find_prepared(dataset: str, files: Files, max_length: int) -> PreparedFolder:
    """Returns the folder in which a text is prepared, or will be.

    Args:
      dataset: What the user named.
      files: Its files.
      max_length: Longer sentences, counted in characters, are left out.

    Raises:
      OSError: If a file is not there.
    """
    paths = in_order(files)
    settings = {"splits": [split for split, _ in paths], "max_length": max_length}
    return PreparedFolder(Path(dataset), [path for _, path in paths], settings)


def open_prepared(folder: PreparedFolder, files: Files, max_length: int) -> PreparedText:
    """Returns a prepared text, and prepares it first if need be.

    Args:
      folder: As `find_prepared` returned it for the same arguments.
      files: The files of the text.
      max_length: Longer sentences are left out.

    Raises:
      UserError: If a file of the text cannot be read, or the folder is damaged or full.
    """
    facts = folder.open(lambda path: prepare_text(path, in_order(files), max_length))
    splits = {split: Stored(Records(folder.path / f"{split}.txt"), _text) for split in SPLITS}
    return PreparedText(folder=folder.path, splits=splits, **facts)


def _text(record: bytes) -> str:
    return record[:-1].decode()
