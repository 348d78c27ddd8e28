"""Reads a text of any size line by line, in bounded memory."""

from __future__ import annotations

import codecs
import gzip
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

__all__ = ["Line", "stream_lines"]

_GZIP = b"\x1f\x8b"
_CHUNK_BYTES = 1 << 16
_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"  # A byte order mark, not text.


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

    Only `\n` ends a line. Invalid UTF-8 becomes U+FFFD, and byte order marks are left out. A stream
    compressed by gzip is decompressed.

    Args:
      stream: A buffered stream, such as `sys.stdin.buffer`.
      most: Maximum number of characters of a line. A longer line is not kept in memory.

    Raises:
      OSError, EOFError, zlib.error: The stream cannot be read or decompressed.
    """
    if getattr(stream, "peek", lambda _: b"")(len(_GZIP))[: len(_GZIP)] == _GZIP:
        stream = gzip.GzipFile(fileobj=stream)
    number = 0
    while chunk := stream.readline(_CHUNK_BYTES):
        number += 1
        yield _rest_of_line(stream, chunk, number, most)


def _rest_of_line(stream: BinaryIO, chunk: bytes, number: int, most: int) -> Line:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text, dropped = "", 0
    while True:
        ended = not chunk or chunk.endswith(b"\n")
        part = decoder.decode(chunk.rstrip(b"\r\n") if ended else chunk, final=ended).replace(
            _MARK, ""
        )
        if len(text) > most + _CHUNK_BYTES:  # Too long, even if it ends with blanks.
            dropped += len(part)
        else:
            text = (text + part).lstrip()
        if ended:
            break
        chunk = stream.readline(_CHUNK_BYTES)
    text = text.strip()
    length = len(text) + dropped
    return Line(number, text if length <= most else None, length)
