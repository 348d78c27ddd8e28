"""The start of a program: how TensorFlow is imported, and what happens before that."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
from types import FrameType
from typing import NoReturn

from train.support.signals import signals_call

__all__ = ["end_at_ctrl_c", "import_tensorflow_quietly", "refuse_other_backend"]

_SHOW_CURSOR = b"\x1b[?25h"
_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
# Environment variables set before TensorFlow is imported, unless the user has set them.
_SETTINGS = {
    _LEVEL: "3",
    # Overrides Keras' settings file, which may name another backend.
    "KERAS_BACKEND": "tensorflow",
    # Batches differ in length, so glibc returns their memory to the system at every step and
    # takes it again, page by page: see docs/PERFORMANCE.md.
    "TF_CPU_ALLOCATOR_USE_BFC": "true",
}
# XLA compiles in half the time without its fusion emitters, and what it compiles is as fast.
_EMITTERS = "--xla_cpu_use_fusion_emitters"


def import_tensorflow_quietly() -> None:
    """Imports TensorFlow without its start-up messages; if the import fails, they are shown.

    `TF_CPP_MIN_LOG_LEVEL=0` in the environment shows everything. The environment also overrides the
    other settings: `TF_CPU_ALLOCATOR_USE_BFC`, an allocator that keeps freed memory, and
    `TF_CPU_BFC_MEM_LIMIT_IN_MB`, its limit. XLA's fusion emitters for CPUs are switched off, unless
    `XLA_FLAGS` mentions them.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    flags = os.environ.get("XLA_FLAGS", "")
    if _EMITTERS not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {_EMITTERS}=false".strip()
    if os.environ[_LEVEL] == "0" or "tensorflow" in sys.modules:
        return
    # The library writes a few lines before it reads the level, straight to the file descriptor.
    sys.stderr.flush()
    kept = os.dup(2)

    def end(number: int, frame: FrameType | None) -> NoReturn:
        """Ends the process: an exception here would pass through C++, which aborts."""
        with contextlib.suppress(OSError):  # Nobody may be reading it any more.
            if os.isatty(1):
                os.write(1, _SHOW_CURSOR)  # A progress bar has hidden it.
            os.write(kept, b"\ninterrupted\n")
        os._exit(128 + number)

    with tempfile.TemporaryFile() as log, signals_call(end):
        os.dup2(log.fileno(), 2)
        try:
            # First: if TensorFlow is loaded already, TFP also imports parts that nothing here uses.
            import tensorflow_probability  # noqa: F401, I001
            import tensorflow
        except Exception:  # Not Ctrl-C, after which nobody wants to read the log.
            log.seek(0)
            os.write(kept, log.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
    tensorflow.get_logger().setLevel("ERROR")  # With --jit, each new shape would be warned of.


def end_at_ctrl_c() -> None:
    """Makes Ctrl-C end a program started by `python -m` at once, without a traceback.

    This holds until `run_program`, so while the program imports what it needs.
    """
    if _is_starting() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def refuse_other_backend() -> None:
    """Ends a program started by `python -m` with one line instead of a traceback.

    Raises:
      SystemExit: With status 2, if `KERAS_BACKEND` names another backend.
    """
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if _is_starting() and backend != "tensorflow":
        print(
            f"error: this needs Keras with TensorFlow; got KERAS_BACKEND={backend}: "
            "unset it, or set it to tensorflow",
            file=sys.stderr,
        )
        sys.exit(2)


def _is_starting() -> bool:
    """Whether `python -m` is importing the packages that hold the program."""
    return sys.argv[0] == "-m"  # The name that the program has meanwhile.
