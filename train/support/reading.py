"""Files that can be read from their start, again and again, and never make a program wait."""

from __future__ import annotations

import stat
from pathlib import Path

from train.support.errors import UserError

__all__ = ["refuse_special"]

_SPECIAL = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def refuse_special(path: Path) -> None:
    """Refuses pipes, sockets and devices, without opening them: that could wait for ever.

    Also a pipe that has a writer (`/dev/stdin`, `<(command)`) is refused: data is read once more
    when a run goes on, and when it is evaluated.

    Args:
      path: What a user named as a file; it need not be there.

    Raises:
      UserError: If it is one of these.
    """
    try:
        kind = _SPECIAL.get(stat.S_IFMT(path.stat().st_mode))
    except (OSError, ValueError):
        return  # Whoever opens it says what is wrong.
    if kind:
        raise UserError(
            f"expected a file at {str(path)!r}; it is {kind}, which cannot be read twice: "
            "save what comes from it in a file, and give that"
        )
