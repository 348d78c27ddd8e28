"""Errors that the user, rather than a developer, can fix, and the exit status of programs."""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from train.support.signals import signals_call

__all__ = ["UserError", "fault_of_machine", "run_program"]

# The errors of a wrong path, a missing permission, and a full or broken disk. Any other `OSError`
# is a bug, and keeps its traceback.
_USER_ERRNOS = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EEXIST,
        errno.EFBIG,
        errno.EIO,
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
# Parts of messages by which TensorFlow and HDF5 report such errors in their own exceptions.
_CURES = {
    errno.ENOSPC: "; make room, and run the same command again",
    errno.EDQUOT: "; make room, and run the same command again",
    errno.EFBIG: "; raise the limit on the size of a file (ulimit -f), or use another disk",
    errno.EIO: "; the disk or the connection to it is faulty",
    errno.EROFS: "",
}
# What `train.support.files` puts before the name of a file or folder until it is complete.
_UNFINISHED = re.compile(r"\.tmp-[0-9a-f]+-\d+-")
_PATH = re.compile(r"[^\s;:,'\"()]+/[^\s;:,'\"()]+")


class UserError(Exception):
    """Invalid input from outside; the message is one short sentence that says how to fix it."""


def run_program(main: Callable[[], None], interrupted: str = "interrupted") -> None:
    """Runs `main` and turns what it raises into an exit status.

    | raised by `main`                           | standard error                 | exit status |
    |--------------------------------------------|--------------------------------|-------------|
    | nothing                                    |                                | 0 (returns) |
    | `UserError`, a path, a full disk           | `error: MESSAGE`, no traceback | 2           |
    | `KeyboardInterrupt`, after Ctrl-C          | `interrupted`                  | 130         |
    | `KeyboardInterrupt(SIGNAL)`, after SIGTERM | `interrupted`                  | 128 + SIGNAL|
    | `BrokenPipeError` (`... | head`)           |                                | 141         |
    | anything else                              | traceback                      | 1           |

    Ctrl-C and SIGTERM raise `KeyboardInterrupt(SIGNAL)` in `main`; a second one ends the process.
    Characters that standard output or error cannot encode are written as `?`.

    Args:
      main: The program, without arguments.
      interrupted: Said after Ctrl-C or another signal: how to continue, where there is a way.

    Raises:
      SystemExit: With the exit status of the table, unless `main` returns.
    """
    # A closed stream is None, which has no methods.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # Tests may replace the stream by another object.
            stream.reconfigure(errors="replace")
    try:
        with signals_call(_interrupt):
            main()
            sys.stdout.flush()  # Reports a closed pipe here, not while the interpreter shuts down.
    except UserError as error:
        _fail(str(error))
    except BrokenPipeError:
        # The reader of our output is gone, so nothing more can be written to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(141) from None
    except KeyboardInterrupt as interrupt:
        print(f"\n{interrupted}", file=sys.stderr)
        number = interrupt.args[0] if interrupt.args else signal.SIGINT
        raise SystemExit(128 + number) from None
    except Exception as error:
        message = fault_of_machine(error)
        if message is None:
            raise
        _fail(message)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    # A second signal acts at once: the first may have to wait for TensorFlow.
    signal.signal(number, signal.SIG_DFL)
    raise KeyboardInterrupt(number)


def fault_of_machine(error: BaseException) -> str | None:
    """Returns a message if an error was caused by the user's machine; otherwise None.

    A full disk reaches Python in many forms: as an `OSError`, as an error of TensorFlow or HDF5
    that only says so in its text, and as the cause or context of another error.
    """
    if isinstance(error, OSError) and error.errno in _USER_ERRNOS:
        where = "" if error.filename is None else f" {_final(os.fsdecode(error.filename))!r}"
        return f"cannot use{where}: {error.strerror}{_CURES.get(error.errno, '')}"
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        for number, cure in _CURES.items():
            if os.strerror(number) in str(cause):
                return f"cannot write{_path_in(str(cause))}: {os.strerror(number)}{cure}"
        cause = cause.__cause__ or cause.__context__
    return None


def _path_in(message: str) -> str:
    """Returns the first file that a message names, quoted after a space, or nothing."""
    for found in _PATH.findall(message):
        if os.path.isdir(os.path.dirname(found)):  # Not a device of TensorFlow's, `/job:localhost`.
            return f" {_final(found)!r}"
    return ""


def _final(path: str) -> str:
    """Returns the path that the user knows, also of what is unfinished."""
    return _UNFINISHED.sub("", path)


def _fail(message: str) -> None:
    """Prints one line for the user and exits with status 2."""
    print("error: " + " ".join(message.split()), file=sys.stderr)
    raise SystemExit(2) from None
