"""Imports TensorFlow quietly, with a suitable allocator and compiler; rejects Keras without it."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from types import TracebackType

__all__ = ["import_tensorflow_quietly", "refuse_other_backend", "shorten_early_interrupts"]

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
    with tempfile.TemporaryFile() as log:
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


def refuse_other_backend() -> None:
    """Ends a program started by `python -m` with one line instead of a traceback.

    Raises:
      SystemExit: With status 2, if `KERAS_BACKEND` names another backend.
    """
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    # `python -m` has this name for the program while it imports the packages that hold it.
    if sys.argv[0] == "-m" and backend != "tensorflow":
        print(
            f"error: this needs Keras with TensorFlow; got KERAS_BACKEND={backend}: "
            "unset it, or set it to tensorflow",
            file=sys.stderr,
        )
        sys.exit(2)


def shorten_early_interrupts() -> None:
    """Ends a program with one word if Ctrl-C comes while `python -m` still imports it.

    Later, `run_program` does so.
    """
    if sys.argv[0] == "-m":
        sys.excepthook = _without_traceback


def _without_traceback(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print("\ninterrupted", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    sys.__excepthook__(kind, error, traceback)
