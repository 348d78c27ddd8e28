"""Reads files of unknown origin in a separate process, so that a crash becomes a message."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from train.support.errors import UserError

try:
    import resource
except ImportError:  # Windows, where only the time is bounded.
    resource = None

__all__ = ["answer", "read_in_own_process"]

_MEMORY_GIB = 1
_CPU_SECONDS = 20  # Four times as much as the largest set needs.
_SECONDS = 120  # Wall-clock time, for a busy machine.
_REASON_LENGTH = 200
# Exit statuses; Python itself uses 1 and 2.
_REFUSED, _FAILED, _NO_MEMORY = 3, 4, 5


def read_in_own_process(module: str, path: Path, expected: str, cure: str) -> bytes:
    """Runs `python -m MODULE` on a file and returns its answer.

    The module ends by calling `answer`. It may crash, loop or exhaust its memory: it gets 20
    seconds of CPU time and 1 GiB.

    Args:
      module: Full name of the module.
      path: The file, passed as standard input.
      expected: What the file should be, for the message.
      cure: How to fix it if it is something else, for the message.

    Raises:
      UserError: The module rejected the file or could not read it.
      OSError: The file cannot be opened.
    """
    # One thread, because each reserves memory; the same search path for imports as here.
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(place or os.getcwd() for place in sys.path),
    }
    with open(path, "rb") as file:
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-W", "ignore", "-m", module, str(path)],
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            reason = f"it takes more than {_SECONDS} seconds"
        else:
            if done.returncode == 0:
                return done.stdout
            text = done.stdout.decode(errors="replace")
            if done.returncode == _REFUSED:
                raise UserError(text)
            reason = _how_it_ended(done.returncode, text)
    raise UserError(f"expected {expected} in {str(path)!r}; it cannot be read: {reason}; {cure}")


def answer(read: Callable[[bytes, str], bytes]) -> None:
    """Applies `read` to standard input and sends the result to the parent process.

    Args:
      read: Gets the bytes of the file and its path, which is used in messages. It raises
        `UserError` for what it rejects, and anything else for what it cannot read.
    """
    _limit_this_process()
    try:
        content, status = read(sys.stdin.buffer.read(), sys.argv[1]), 0
    except UserError as error:
        content, status = _encode(str(error)), _REFUSED
    except MemoryError:
        content, status = b"", _NO_MEMORY
    except Exception as error:  # Damaged files can cause any error.
        content, status = _encode(str(error) or type(error).__name__), _FAILED
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
    os._exit(status)  # Without taking apart what was read, however deep it is.


def _limit_this_process() -> None:
    """Limits its memory and time, if the system can."""
    if resource is None:
        return
    for limit, soft, hard in (
        (resource.RLIMIT_AS, _MEMORY_GIB * 2**30, _MEMORY_GIB * 2**30),
        (resource.RLIMIT_CPU, _CPU_SECONDS, _CPU_SECONDS + 1),  # A signal first, then the end.
        (resource.RLIMIT_CORE, 0, 0),  # A crash is expected, and its memory of no use.
    ):
        with contextlib.suppress(ValueError, OSError):  # If less is set already, or none can be.
            resource.setrlimit(limit, (soft, hard))


def _encode(text: str) -> bytes:
    return text.encode(errors="backslashreplace")


def _how_it_ended(status: int, text: str) -> str:
    """Says why a process did not read its file; `text` is what it answered."""
    if status == _FAILED:
        return text[:_REASON_LENGTH]
    if status == _NO_MEMORY:
        return f"it takes more than {_MEMORY_GIB} GiB of memory"
    if status == -getattr(signal, "SIGXCPU", 0):
        return f"it takes more than {_CPU_SECONDS} seconds"
    what = signal.strsignal(-status) if status < 0 else f"status {status}"
    return f"its reader crashed ({what})"
