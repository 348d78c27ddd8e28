"""What is read of a user: paths with `~`, a sign of gzip, and no file to wait for."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from train.support.errors import UserError

__all__ = ["GZIP", "expanded", "refuse_special"]

GZIP = b"\x1f\x8b"  # The first bytes of a gzip file, which are not valid UTF-8.

_SPECIAL = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def expanded(path: str | Path) -> Path:
    """A path whose `~` is the home folder; `~nobody`, where `Path.expanduser` raises, stays."""
    return Path(os.path.expanduser(path))


def refuse_special(path: Path) -> None:
    """Rejects pipes, sockets and devices without opening them, which could block for ever.

    Even a pipe with a writer (`/dev/stdin`, `<(command)`) is rejected, because data are read again
    when a run is resumed or evaluated.

    Args:
      path: What the user named as a file; it need not exist.

    Raises:
      UserError: It is one of these.
    """
    try:
        kind = _SPECIAL.get(stat.S_IFMT(path.stat().st_mode))
    except (OSError, ValueError):
        return  # Opening it will report the error.
    if kind:
        raise UserError(
            f"expected a file at {str(path)!r}; it is {kind}, which cannot be read twice: "
            "save what comes from it in a file, and give that"
        )
