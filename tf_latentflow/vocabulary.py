"""The mapping between characters and symbol ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

__all__ = ["FIRST_CHARACTER_ID", "PADDING_ID", "REPLACEMENT", "UNKNOWN_ID", "Vocabulary"]

PADDING_ID = 0
UNKNOWN_ID = 1
FIRST_CHARACTER_ID = 2
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, init=False)
class Vocabulary:
    """Characters with their ids: 0 is padding, 1 unknown, and `characters[i]` has id `i + 2`.

    >>> vocabulary = Vocabulary.from_texts(["abc", "cab"])
    >>> vocabulary.size
    5
    >>> vocabulary.encode("cab?").tolist()
    [4, 2, 3, 1]
    >>> vocabulary.decode([4, 2, 3, 0, 0])
    'cab'

    Attributes:
      characters: The characters (single code points), in id order from id 2.
    """

    characters: tuple[str, ...]
    _ids: dict[str, int] = field(repr=False, compare=False)

    def __init__(self, characters: Sequence[str]) -> None:
        """Numbers the characters.

        Args:
          characters: Distinct strings of one code point each.

        Raises:
          ValueError: An entry is not one code point, or occurs twice.
        """
        characters = tuple(characters)
        for character in characters:
            if not isinstance(character, str) or len(character) != 1:
                raise ValueError(f"expected strings of one character; got {character!r}")
        ids = {character: i for i, character in enumerate(characters, start=FIRST_CHARACTER_ID)}
        if len(ids) != len(characters):
            twice = sorted({c for c in characters if characters.count(c) > 1})
            raise ValueError(f"expected distinct characters; got {twice} more than once")
        object.__setattr__(self, "characters", characters)
        object.__setattr__(self, "_ids", ids)

    @classmethod
    def from_texts(cls, texts: Iterable[str]) -> Vocabulary:
        """The vocabulary of all characters in `texts`, sorted."""
        return cls(sorted(set().union(*texts)))

    @property
    def size(self) -> int:
        """Number of symbols, including padding and unknown."""
        return FIRST_CHARACTER_ID + len(self.characters)

    def encode(self, text: str) -> np.ndarray:
        """The ids of a text, int32 `[T]`. Characters outside the vocabulary get id 1.

        Raises:
          ValueError: It is not a string.
        """
        if not isinstance(text, str):
            raise ValueError(f"expected a text; got {type(text).__name__}")
        return np.array([self._ids.get(c, UNKNOWN_ID) for c in text], dtype=np.int32)

    def decode(self, ids: Sequence[int] | np.ndarray) -> str:
        """The text of ids `[T]`. Padding is left out; unknown becomes U+FFFD.

        Raises:
          ValueError: An id is no whole number of `0 .. size - 1`, or `ids` does not have one
            dimension.
        """
        ids = np.asarray(ids)
        if ids.ndim != 1:
            raise ValueError(f"expected ids of shape [T]; got shape {list(ids.shape)}")
        if ids.size and ids.dtype.kind not in "iu":
            raise ValueError(f"expected ids that are whole numbers; got {ids.dtype.name}")
        if ids.size and (ids.min() < 0 or ids.max() >= self.size):
            raise ValueError(
                f"expected ids from 0 to {self.size - 1}; got {ids.min()} to {ids.max()}"
            )
        symbols = ("", REPLACEMENT, *self.characters)
        return "".join(symbols[i] for i in ids)

    def decode_drawn(self, ids: np.ndarray) -> str:
        """`decode` of ids that a model drew: to it, padding is a symbol, here shown as unknown."""
        return self.decode(np.where(ids == PADDING_ID, UNKNOWN_ID, ids))
