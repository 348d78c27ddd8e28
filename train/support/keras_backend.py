"""Rejects Keras with a backend other than TensorFlow before anything is imported."""

from __future__ import annotations

import os
import sys

__all__ = ["refuse_other_backend"]


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
