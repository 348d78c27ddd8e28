"""What is dear to make, once for all processes of `pytest -n`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

__all__ = ["MadeOnce"]


class MadeOnce:
    """Files and folders by name: whichever process asks first for one makes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, name: str, make: Callable[[Path], object]) -> Path:
        """The path of a name, which `make` is given once, and others wait for."""
        path, done = self._folder / name, self._folder / f"{name}.done"
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):
            if not done.exists():
                shutil.rmtree(path, ignore_errors=True)  # Of one that failed.
                make(path)
                done.touch()
        return path
