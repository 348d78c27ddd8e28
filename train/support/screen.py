"""The output of a working program: permanent lines and, on a terminal, a progress bar."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["Screen"]


class Screen:
    """Lines on standard output and, on a terminal, a progress bar below them.

    The bar also moves during a call that takes minutes. A file or pipe gets only the lines. Use it
    as a context manager: the bar disappears when the block ends.

    Attributes:
      is_silent: Whether to show nothing at all.
    """

    def __init__(self, is_silent: bool = False) -> None:
        self.is_silent = is_silent
        self._bar: Progress | None = None
        self._what = ""

    def __enter__(self) -> Self:
        # A bundle also runs on machines without rich.
        if not self.is_silent and sys.stdout.isatty() and find_spec("rich"):
            self._bar = _make_bar()
            self._task = self._bar.add_task("starting", total=None, detail="")
            self._bar.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Removes the bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    @property
    def moves(self) -> bool:
        """Whether there is a bar."""
        return self._bar is not None

    def line(self, text: str) -> None:
        """Prints a permanent line."""
        if self._bar is None:
            self.log(text)
        else:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def log(self, text: str) -> None:
        """Prints a line unless there is a bar that shows the same."""
        if self._bar is None and not self.is_silent:
            print(text, flush=True)

    def now(
        self, what: str, done: float | None = None, total: float | None = None, detail: str = ""
    ) -> None:
        """Shows on a terminal what is being done, and the progress.

        Args:
          what: The work. The clock beside it restarts when this changes.
          done: How much of it is done.
          total: How much there is in total; None if unknown.
          detail: Numbers to show beside the bar.
        """
        if self._bar is None:
            return
        if what != self._what:
            self._what = what
            self._bar.reset(self._task, description=what, total=total, detail=detail)
        self._bar.update(self._task, completed=done, total=total, detail=detail)


def _make_bar() -> Progress:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[detail]}", markup=False),
        TimeElapsedColumn(),
        transient=True,
    )
