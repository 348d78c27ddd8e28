"""Keeps TensorFlow's start-up log off the terminal of a program."""

from __future__ import annotations

import os
import sys
import tempfile

__all__ = ["import_tensorflow_quietly"]

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def import_tensorflow_quietly() -> None:
    """Imports TensorFlow without its start-up messages; a failing import still shows them.

    `TF_CPP_MIN_LOG_LEVEL=0` in the environment shows everything, now and later.
    """
    if os.environ.setdefault(_LEVEL, "3") == "0" or "tensorflow" in sys.modules:
        return
    # The library writes a few lines before it reads the level, straight to the file descriptor.
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            import tensorflow
        except BaseException:
            log.seek(0)
            os.write(kept, log.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
    tensorflow.get_logger().setLevel("ERROR")  # With --jit, each new shape would be warned of.
