"""The sentences of the language reference that comes with every CPython, for `help()`.

The reference (`pydoc_data.topics`, about half a million characters) is plain text with headings,
hard-wrapped paragraphs, lists, code, grammar and tables. Many sections occur more than once. This
module extracts its English sentences, each once. It needs only the standard library.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from train.support.errors import UserError

__all__ = ["pydoc_sentences", "sentences"]

# Typographic characters are replaced: they are rare, and would enlarge the vocabulary.
_PLAIN_MARKS = str.maketrans(
    {
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{HORIZONTAL ELLIPSIS}": "...",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
    }
)

_LIST_MARKER = re.compile(r" *(?:[*-]|\d+\.|\[\d+\]) +(?=\S)")
_UNDERLINE = re.compile(r" *([*=~^\"'-])\1{2,}")
_NOT_PROSE = re.compile(r"^(?:>>>|\.\.\. |\$ |# |[|+])|::=|\S  # |Traceback \(most", re.MULTILINE)
_FOOTNOTE_MARK = re.compile(r" \[\d+\]")

# A sentence ends at one of `.?!`, perhaps followed by quotes or brackets, if the next words start
# like a sentence and the full stop does not belong to an abbreviation.
_CLOSING = "[\"')*]*"
_START = '(?:["\'(*]*[A-Z]|[(]?["*]+[a-z_])'
_END = re.compile(rf"[.?!]{_CLOSING} (?={_START})")
_ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|cf|vs|[A-Z])\.$", re.IGNORECASE)
_SENTENCE = re.compile(rf"{_START}.*[.?!:;]{_CLOSING}")
_MIN_WORDS = 3
_MIN_LETTERS = 0.6  # Share of letters and spaces; code has fewer.


def pydoc_sentences() -> list[str]:
    """Returns the distinct sentences of this Python's language reference, in a fixed order.

    Raises:
      UserError: This Python was installed without `pydoc_data`.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise UserError(
            "this Python has no pydoc_data, from which the dataset pydoc is made; give another "
            "dataset: ptb, or a text file or folder of your own"
        ) from None
    found = (sentence for name in sorted(topics) for sentence in sentences(topics[name]))
    return list(dict.fromkeys(found))


def sentences(text: str) -> Iterator[str]:
    """Yields the English sentences of a rendered page, each on one line, in printable ASCII."""
    for paragraph in _paragraphs(text.translate(_PLAIN_MARKS)):
        if _NOT_PROSE.search(paragraph):
            continue
        for sentence in _split(_FOOTNOTE_MARK.sub("", _unwrap(paragraph))):
            if _is_prose(sentence):
                yield sentence


def _paragraphs(text: str) -> Iterator[str]:
    """Yields blocks of lines with the same indentation, without headings, split at list markers."""
    lines: list[str] = []
    indent = 0
    for line in text.split("\n"):
        marker = _LIST_MARKER.match(line)
        if marker:
            line = " " * marker.end() + line[marker.end() :]
        line_indent = len(line) - len(line.lstrip())
        underline = _UNDERLINE.fullmatch(line)
        if lines and (marker or underline or not line.strip() or line_indent != indent):
            if not underline:
                yield "\n".join(lines)
            lines = []
        if line.strip() and not underline:
            lines.append(line.strip())
            indent = line_indent
    if lines:
        yield "\n".join(lines)


def _unwrap(paragraph: str) -> str:
    """Joins hard-wrapped lines, and words that were broken at their hyphens."""
    return " ".join(re.sub(r"(?<=[A-Za-z]-)\n(?=[a-z])", "", paragraph).split())


def _split(paragraph: str) -> Iterator[str]:
    """Splits a paragraph at the ends of sentences."""
    start = 0
    for end in _END.finditer(paragraph):
        if not _ABBREVIATION.search(paragraph[start : end.start() + 1]):
            yield paragraph[start : end.end() - 1]
            start = end.end()
    yield paragraph[start:]


def _is_prose(sentence: str) -> bool:
    """Whether this is a sentence, and not code, a signature, a heading or a fragment."""
    letters = sum(c.isalpha() or c == " " for c in sentence)
    return (
        _SENTENCE.fullmatch(sentence) is not None
        and sentence.isascii()
        and sentence.isprintable()
        and len(sentence.split()) >= _MIN_WORDS
        and letters >= _MIN_LETTERS * len(sentence)
    )
