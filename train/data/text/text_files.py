"""Reads a user's text file, one sentence a line, and says clearly what is wrong with it."""

from __future__ import annotations

from pathlib import Path

from train.support.errors import UserError

__all__ = ["read_lines"]


def read_lines(path: Path) -> list[str]:
    r"""Returns the lines of a UTF-8 file, stripped, without the blank ones.

    Only `\n`, `\r\n` and `\r` end a line; other characters that Unicode counts as line ends are
    text here.

    Raises:
      UserError: If the file is missing, unreadable, binary, not UTF-8, or has no line with text.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"expected a text file at {str(path)!r}; there is none") from None
    except OSError as error:
        raise UserError(f"cannot read {str(path)!r}: {error.strerror}") from None
    if (offset := data.find(b"\0")) >= 0:
        raise UserError(
            f"expected a text file in UTF-8; {str(path)!r} is binary or of another encoding "
            f"(a zero byte at offset {offset}); convert it to UTF-8"
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"expected a text file in UTF-8; {str(path)!r} is not (byte 0x{data[error.start]:02x} "
            f"at offset {error.start}); convert it to UTF-8"
        ) from None
    text = text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")  # A byte order mark, not text.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    lines = [line for line in map(str.strip, lines) if line]
    if not lines:
        raise UserError(f"expected one sentence a line; {str(path)!r} has no line with text")
    return lines
