"""Reads a user's text file, one sentence per line, with precise error messages."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from train.data.text.left_out import LeftOut
from train.support.errors import UserError
from train.support.reading import GZIP, refuse_special

__all__ = ["BYTE_ORDER_MARK", "START", "Block", "Position", "read_blocks"]

BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"  # It is no text.
_BLOCK_BYTES = 1 << 20
_LINE_BYTES = 1 << 26  # Bounds the memory; no sentence is as long.


class Position(NamedTuple):
    """A place in a text where a line begins.

    Attributes:
      offset: Number of bytes before it, decompressed.
      lines: Number of lines before it.
      sentences: Number of lines before it that are not blank.
    """

    offset: int
    lines: int
    sentences: int


START = Position(0, 0, 0)


class Block(NamedTuple):
    """Some lines of a text.

    Attributes:
      lines: The stripped lines that are not blank.
      end: The start of the next block.
      share: The share of the file that has been read, 0 to 1.
    """

    lines: list[str]
    end: Position
    share: float


def read_blocks(
    path: Path, left_out: LeftOut, start: Position = START, size: int = _BLOCK_BYTES
) -> Iterator[Block]:
    r"""Yields the lines of a UTF-8 file in blocks, in memory that does not grow with the file.

    Only `\n`, `\r\n` and `\r` end a line. Other line separators of Unicode are part of the text.
    All byte order marks are removed. A file compressed by gzip is decompressed.

    Args:
      path: The file.
      left_out: Counts what is left out, updated with each block.
      start: The end of an earlier block, from which to continue.
      size: Number of bytes to read at once.

    Raises:
      UserError: The file is missing, unreadable, a pipe or a device, binary, not UTF-8, has a line
        of more than 64 MiB, or has no text.
    """
    refuse_special(path)
    position = start
    for data, share in _whole_lines(path, start.offset, size):
        zero = data.find(b"\0")
        if zero >= 0:
            raise UserError(
                f"expected a text file in UTF-8; {str(path)!r} is binary or of another encoding "
                f"(a zero byte at offset {_place(data, zero, position)}); convert it to UTF-8"
            )
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UserError(
                f"expected a text file in UTF-8; {str(path)!r} is not (byte "
                f"0x{data[error.start]:02x} at offset {_place(data, error.start, position)}); "
                "convert it to UTF-8"
            ) from None
        if not position.offset:
            text = text.removeprefix(BYTE_ORDER_MARK)
        left_out.num_marks += text.count(BYTE_ORDER_MARK)
        text = text.replace(BYTE_ORDER_MARK, "").replace("\r\n", "\n").replace("\r", "\n")
        lines = text.removesuffix("\n").split("\n") if text else []
        with_text = [line for line in map(str.strip, lines) if line]
        left_out.num_blank += len(lines) - len(with_text)
        position = Position(
            position.offset + len(data),
            position.lines + len(lines),
            position.sentences + len(with_text),
        )
        yield Block(with_text, position, share)
    if not position.sentences:
        raise UserError(f"expected one sentence per line; {str(path)!r} has no line with text")


def _whole_lines(path: Path, offset: int, size: int) -> Iterator[tuple[bytes, float]]:
    """Yields the decompressed content of a file, cut at ends of lines, and the share so far."""
    try:
        with open(path, "rb") as file:
            total = max(1, path.stat().st_size)
            compressed = file.read(len(GZIP)) == GZIP
            file.seek(0)
            stream: BinaryIO = gzip.GzipFile(fileobj=file) if compressed else file
            stream.seek(offset)
            rest = b""
            while chunk := stream.read(size):
                rest += chunk
                if b"\0" in chunk:  # What follows is not read.
                    break
                # At the very end "\r" may be one half of "\r\n".
                end = max(rest.rfind(b"\n"), rest.rfind(b"\r", 0, -1)) + 1
                if end:
                    yield rest[:end], min(1.0, file.tell() / total)
                    rest = rest[end:]
                elif len(rest) > _LINE_BYTES:
                    raise UserError(
                        f"expected one sentence per line; {str(path)!r} has a line of more than "
                        f"{_LINE_BYTES >> 20} MiB, from its byte {stream.tell() - len(rest)} on; "
                        "break it into lines"
                    )
            if rest:
                yield rest, 1.0
    except FileNotFoundError:
        raise UserError(f"expected a text file at {str(path)!r}; there is none") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(
            f"expected text in {str(path)!r}; it starts like a gzip file, and is damaged "
            f"({error}); get it again"
        ) from None
    except OSError as error:
        raise UserError(f"cannot read {str(path)!r}: {error.strerror}") from None


def _place(data: bytes, index: int, start: Position) -> str:
    """Returns where a byte of `data` is, which begins at `start`; lines and bytes count from 1."""
    before = data[:index]
    line_start = max(before.rfind(b"\n"), before.rfind(b"\r")) + 1
    ends = before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")
    return f"{start.offset + index}: line {start.lines + ends + 1}, byte {index - line_start + 1}"
