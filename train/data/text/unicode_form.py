"""Checks whether a text has the same Unicode form as the text that a model was trained on."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

__all__ = ["form_remark", "forms_of_splits"]


def forms_of_splits(known: Collection[str], splits: Mapping[str, Iterable[str]]) -> list[str]:
    """Returns `form_remark` of each split that has one, with its name."""
    remarks = {split: form_remark(known, texts) for split, texts in splits.items()}
    return [f"{split} split: {remark}" for split, remark in remarks.items() if remark]


def form_remark(known: Collection[str], texts: Iterable[str]) -> str | None:
    """Returns a remark if texts are not in the Unicode form of a vocabulary, otherwise None.

    An accented letter is one character in the form NFC, and a letter and a combining mark in NFD.
    They look the same, but a vocabulary made of one form does not contain the other.

    Args:
      known: The characters of the vocabulary.
      texts: Some texts.
    """
    known = set(known)
    composed, taken_apart = 0, 0
    for text in texts:
        unknown = set(text) - known
        if unknown:
            composed += _known_when_composed(text, known)
            apart = {c for c in unknown if _apart(c) != c and known.issuperset(_apart(c))}
            taken_apart += sum(c in apart for c in text)
    number, form = max((composed, "NFC"), (taken_apart, "NFD"))
    if not number:
        return None
    return (
        "the text is not in the Unicode form that the model was trained in: the model knows "
        f"{number} of its characters in the form {form} only; convert the text to {form}"
    )


def _known_when_composed(text: str, known: Collection[str]) -> int:
    """Returns how many known characters appear when a text is composed (NFC)."""
    before, after = Counter(text), Counter(unicodedata.normalize("NFC", text))
    return sum(
        max(0, number - before[c]) for c, number in after.items() if c in known and _apart(c) != c
    )


def _apart(character: str) -> str:
    return unicodedata.normalize("NFD", character)
