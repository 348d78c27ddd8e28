"""Reads a user's text file, one sentence a line, and says clearly what is wrong with it."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from train.data.text.left_out import LeftOut
from train.support.errors import UserError
from train.support.reading import refuse_special

__all__ = ["read_lines"]

_GZIP = b"\x1f\x8b"  # How a gzip file starts, and no text in UTF-8.
_CHUNK_BYTES = 1 << 20
_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"  # A byte order mark, not text.


def read_lines(path: Path, left_out: LeftOut | None = None) -> list[str]:
    r"""Returns the lines of a UTF-8 file, stripped, without the blank ones.

    Only `\n`, `\r\n` and `\r` end a line; other characters that Unicode counts as line ends are
    text here. Byte order marks are removed, wherever they stand. A file compressed by gzip is read
    as what it holds.

    Args:
      path: The file.
      left_out: Is told what was left out.

    Raises:
      UserError: If the file is missing, unreadable, a pipe or a device, binary, not UTF-8, or has
        no line with text.
    """
    left_out = LeftOut() if left_out is None else left_out
    refuse_special(path)
    try:
        data = _read(path)
    except FileNotFoundError:
        raise UserError(f"expected a text file at {str(path)!r}; there is none") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(
            f"expected text in {str(path)!r}; it starts like a gzip file, and is damaged "
            f"({error}); get it again"
        ) from None
    except OSError as error:
        raise UserError(f"cannot read {str(path)!r}: {error.strerror}") from None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"expected a text file in UTF-8; {str(path)!r} is not (byte 0x{data[error.start]:02x} "
            f"at offset {error.start}: {_place(data, error.start)}); convert it to UTF-8"
        ) from None
    text = text.removeprefix(_MARK)
    left_out.num_marks += text.count(_MARK)
    text = text.replace(_MARK, "").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.removesuffix("\n").split("\n")
    with_text = [line for line in map(str.strip, lines) if line]
    if not with_text:
        raise UserError(f"expected one sentence a line; {str(path)!r} has no line with text")
    left_out.num_blank += len(lines) - len(with_text)
    return with_text


def _read(path: Path) -> bytes:
    """Returns what a file holds, decompressed.

    Raises:
      UserError: At the first zero byte: what follows is not read.
      OSError: If it cannot be read.
      EOFError, zlib.error: If it is compressed and damaged.
    """
    data = bytearray()
    with open(path, "rb") as file:
        compressed = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        stream = gzip.GzipFile(fileobj=file) if compressed else file
        while chunk := stream.read(_CHUNK_BYTES):
            zero = chunk.find(b"\0")
            if zero >= 0:
                offset = len(data) + zero
                data += chunk
                raise UserError(
                    f"expected a text file in UTF-8; {str(path)!r} is binary or of another "
                    f"encoding (a zero byte at offset {offset}: {_place(data, offset)}); "
                    "convert it to UTF-8"
                )
            data += chunk
    return bytes(data)


def _place(data: bytes | bytearray, offset: int) -> str:
    """Returns the line and the byte within it, both counted from 1."""
    before = bytes(data[:offset])
    start = max(before.rfind(b"\n"), before.rfind(b"\r")) + 1
    ends = before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")
    return f"line {ends + 1}, byte {offset - start + 1}"
