"""A user's text on disk, with a file for each split and a line for each sentence."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from train.data.store.folder import PreparedFolder
from train.data.store.stored import Stored
from train.data.text.left_out import MAX_LENGTH
from train.data.text.preparing import prepare_text, stored_splits
from train.data.text.user_text import Files

__all__ = ["PreparedText", "find_prepared", "open_prepared"]


class PreparedText(NamedTuple):
    """A text in its prepared form.

    Attributes:
      folder: The folder of its files.
      splits: The sentences by split, in the order of the source.
      sha256: Digest over the three splits.
      characters: The characters of the training split, sorted.
      forms: A remark for each split that has another Unicode form.
      num_filtered: The number of sentences that were too long, by split.
      num_blank: Number of lines without text.
      num_marks: Number of byte order marks within the text.
    """

    folder: Path
    splits: dict[str, Stored[str]]
    sha256: str
    characters: str
    forms: list[str]
    num_filtered: dict[str, int]
    num_blank: int
    num_marks: int


def find_prepared(dataset: str, files: Files) -> PreparedFolder:
    """Returns the folder in which a text is or will be prepared.

    Args:
      dataset: The dataset as the user named it.
      files: Its files.

    Raises:
      OSError: A file does not exist.
    """
    settings = {"splits": [split for split, _ in files], "max_length": MAX_LENGTH}
    return PreparedFolder(
        Path(dataset),
        [path for _, path in files],
        settings,
        lambda place: prepare_text(place, files),
    )


def open_prepared(folder: PreparedFolder) -> PreparedText:
    """Returns a prepared text, and prepares it first if necessary.

    Args:
      folder: The result of `find_prepared`.

    Raises:
      UserError: A file of the text cannot be read, the folder is damaged, or the disk is full.
    """
    facts = folder.open()
    return PreparedText(folder=folder.path, splits=stored_splits(folder.path), **facts)
