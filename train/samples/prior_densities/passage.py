"""A word within a sentence, chosen by a rule, and how its characters are written in a picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

__all__ = ["Passage", "as_code", "find_passage", "visible"]

# The word of the paper's figure 6; any other of its kind; at worst, where a sentence begins.
_PATTERNS = (r" groups ", r" [^\W\d_]{5,8} ", r".{1,8}")
_FIRST_WITHOUT_GLYPH = 0x530  # Below are Latin, Greek and Cyrillic, which matplotlib's font has.


class Passage(NamedTuple):
    """Characters `start` to `stop` (exclusive) of a sentence.

    Attributes:
      index: Number of the sentence among its like.
      sentence: The sentence.
      start: Of the passage.
      stop: Of the passage.
    """

    index: int
    sentence: str
    start: int
    stop: int

    @property
    def text(self) -> str:
        """The passage itself."""
        return self.sentence[self.start : self.stop]

    @property
    def steps(self) -> range:
        """The steps of its characters."""
        return range(self.start, self.stop)

    def numbers(self) -> dict[str, Any]:
        """The fields that name it in the numbers of a figure."""
        return {
            "split": "valid",
            "sentence_index": self.index,
            "sentence": self.sentence,
            "string": self.text,
        }


def find_passage(sentences: Sequence[str]) -> Passage:
    """Returns the first "groups", as in the paper, with the space on either side.

    If there is none, the first word of 5 to 8 letters between spaces; if there is none either, the
    first 8 characters of the first sentence that is not empty.

    Raises:
      ValueError: If no sentence has a character.
    """
    for pattern in _PATTERNS:
        for index, sentence in enumerate(sentences):
            if match := re.search(pattern, sentence, re.DOTALL):
                return Passage(index, sentence, *match.span())
    raise ValueError(f"expected a sentence with a character; got {len(sentences)} empty ones")


def visible(text: str) -> str:
    """Returns a text as a picture can show it: a space is an open box, what has no glyph a code."""
    return "".join(map(_visible, text))


def as_code(text: str) -> str:
    """Returns a text as code in a cell of a Markdown table, its characters visible."""
    shown = visible(text).replace("|", "\\|")
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`"


def _visible(character: str) -> str:
    if character == " ":
        return "\N{OPEN BOX}"
    if character == "\N{REPLACEMENT CHARACTER}":
        return character
    has_glyph = character.isprintable() and ord(character) < _FIRST_WITHOUT_GLYPH
    return character if has_glyph else f"<{ord(character):x}>"
