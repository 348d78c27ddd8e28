"""What is not read from a text, and counts of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from train.support.units import counted

__all__ = ["MAX_LENGTH", "LeftOut"]

MAX_LENGTH = 288  # Characters of a sentence, as in section 6.1 of the paper.

_NAMED = 5


@dataclasses.dataclass
class LeftOut:
    """Counts and names, collected while the files of a dataset are read.

    Attributes:
      num_blank: Number of lines without text.
      num_marks: Number of byte order marks that are not at the start of a file.
      other_files: Names of files in the folder that are not read.
      subfolders: Names of its subfolders.
    """

    num_blank: int = 0
    num_marks: int = 0
    other_files: list[str] = dataclasses.field(default_factory=list)
    subfolders: list[str] = dataclasses.field(default_factory=list)

    def remarks(self) -> tuple[str, ...]:
        """Returns a remark for each kind of content that was left out.

        >>> LeftOut(num_marks=1, other_files=["a.md", "b.pdf"]).remarks()
        ('1 byte order mark within the text removed', "2 other files not read ('a.md', 'b.pdf')")
        """
        remarks = []
        if self.num_blank:
            remarks.append(f"{counted(self.num_blank, 'blank line')} left out")
        if self.num_marks:
            remarks.append(f"{counted(self.num_marks, 'byte order mark')} within the text removed")
        for what, names in (("other file", self.other_files), ("subfolder", self.subfolders)):
            if names:
                remarks.append(f"{counted(len(names), what)} not read ({_names(names)})")
        return tuple(remarks)


def _names(names: Sequence[str]) -> str:
    """Returns the first few names, quoted, and how many more there are."""
    shown = ", ".join(repr(name) for name in names[:_NAMED])
    more = len(names) - _NAMED
    return f"{shown} and {more} more" if more > 0 else shown
