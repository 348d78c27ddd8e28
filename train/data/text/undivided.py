"""A user's text without splits, to be evaluated line by line."""

from __future__ import annotations

from dataclasses import dataclass

from train.data.text.encoding import TextEncoding
from train.data.text.left_out import LeftOut
from train.data.text.user_text import find_texts, read_files
from train.support.units import counted

__all__ = ["UndividedText", "load_undivided"]


@dataclass(frozen=True)
class UndividedText(TextEncoding):
    """All sentences of a file, or of a folder without splits.

    Attributes:
      name: The file or folder as the user named it.
      sequences: Its sentences, of any length, in the order of the source.
      left_out: A remark for each kind of content that was not read.
    """

    name: str
    sequences: list[str]
    left_out: tuple[str, ...] = ()

    def describe(self) -> str:
        """Returns a line on the number of sentences and on what was left out."""
        sentences = counted(len(self.sequences), "sentence")
        characters = counted(sum(map(len, self.sequences)), "character")
        size = f"{sentences} ({characters}), not divided"
        return "; ".join([f"dataset {self.name}: {size}", *self.left_out])


def load_undivided(dataset: str) -> UndividedText:
    """Reads a user's own file, or all text files of a folder.

    Args:
      dataset: A path without splits.

    Raises:
      UserError: There is no such path, or a file cannot be read.
      ValueError: It has splits.
    """
    left_out = LeftOut()
    files = find_texts(dataset, left_out)
    if files[0][0] is not None:
        raise ValueError(f"expected data without splits; got {dataset!r}, which has them")
    sentences = [line for _, line in read_files(files, left_out)]
    return UndividedText(dataset, sentences, left_out.remarks())
