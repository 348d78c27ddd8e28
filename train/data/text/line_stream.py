"""Reads a text of any size line by line, in bounded memory."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, TextIO

from train.data.text.text_files import BYTE_ORDER_MARK
from train.support.errors import UserError
from train.support.reading import GZIP

__all__ = ["Line", "stream_lines"]

_CHUNK_CHARACTERS = 1 << 16


class Line(NamedTuple):
    """A line of a text.

    Attributes:
      number: Line number, from 1.
      text: The stripped line; None if it is too long.
      length: Number of characters, even of a line that is too long.
    """

    number: int
    text: str | None
    length: int


def stream_lines(stream: BinaryIO, most: int) -> Iterator[Line]:
    r"""Yields every line, including blank ones, as soon as it has been read.

    `\n`, `\r\n` and `\r` end a line. Invalid UTF-8 becomes U+FFFD, and byte order marks are left
    out. A stream compressed by gzip is decompressed.

    Args:
      stream: A buffered stream, such as `sys.stdin.buffer`.
      most: Maximum number of characters of a line. A longer line is not kept in memory.

    Raises:
      OSError, EOFError, zlib.error: The stream cannot be read or decompressed.
      UserError: It is no text in UTF-8: there is a zero byte.
    """
    if getattr(stream, "peek", lambda _: b"")(len(GZIP))[: len(GZIP)] == GZIP:
        stream = gzip.GzipFile(fileobj=stream)
    text = io.TextIOWrapper(stream, "utf-8", errors="replace", newline=None)
    try:
        number = 0
        while chunk := text.readline(_CHUNK_CHARACTERS):
            number += 1
            yield _rest_of_line(text, chunk, number, most)
    finally:
        text.detach()  # Or it would close the stream.


def _rest_of_line(stream: TextIO, chunk: str, number: int, most: int) -> Line:
    text, dropped = "", 0
    while True:
        if "\0" in chunk:
            raise UserError(
                "expected text in UTF-8; got binary data or another encoding (a zero byte in line "
                f"{number}): convert it to UTF-8"
            )
        part = chunk.replace(BYTE_ORDER_MARK, "").removesuffix("\n")
        if len(text) > most + _CHUNK_CHARACTERS:  # Too long, even if it ends with blanks.
            dropped += len(part)
        else:
            text = (text + part).lstrip()
        if not chunk or chunk.endswith("\n"):
            break
        chunk = stream.readline(_CHUNK_CHARACTERS)
    text = text.strip()
    length = len(text) + dropped
    return Line(number, text if length <= most else None, length)
