"""How a program ends when its user, and not the program, has to do something about it."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable

__all__ = ["UserError", "run_program"]

# What a wrong path, a missing permission or a full disk raises. Every other `OSError` is a bug or
# a broken machine, and keeps its traceback.
_USER_ERRNOS = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EEXIST,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.ENOSPC,
        errno.ENOTDIR,
        errno.ENOTEMPTY,
        errno.EPERM,
        errno.EROFS,
    }
)


class UserError(Exception):
    """Bad input from outside; the message is one short sentence that names the cure."""


def run_program(main: Callable[[], None]) -> None:
    """Runs `main` and turns what it raises into an exit status.

    | raised by `main`               | standard error                  | exit status |
    |--------------------------------|---------------------------------|-------------|
    | nothing                        |                                 | 0 (returns) |
    | `UserError`, path or disk error | `error: MESSAGE`, no traceback | 2           |
    | `KeyboardInterrupt`            | how to continue                 | 130         |
    | `BrokenPipeError` (`... | head`) |                               | 141         |
    | anything else                  | traceback                       | 1           |

    Args:
      main: The program, without arguments.

    Raises:
      SystemExit: With the exit status of the table, unless `main` returns.
    """
    try:
        main()
        sys.stdout.flush()  # A closed pipe shows here and not while the interpreter shuts down.
    except UserError as error:
        _fail(str(error))
    except BrokenPipeError:
        # Whoever read our output has gone; nothing may be written to it any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(141) from None
    except OSError as error:
        if error.errno not in _USER_ERRNOS:
            raise
        where = "" if error.filename is None else f" {os.fspath(error.filename)!r}"
        _fail(f"cannot use{where}: {error.strerror}")
    except KeyboardInterrupt:
        print("\ninterrupted: the same command again continues this run", file=sys.stderr)
        raise SystemExit(130) from None


def _fail(message: str) -> None:
    """Prints one line for the user and exits with status 2."""
    print("error: " + " ".join(message.split()), file=sys.stderr)
    raise SystemExit(2) from None
