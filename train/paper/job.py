"""What a figure of the paper is drawn from, and its result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from train.data.dataset import Dataset

__all__ = ["Drawing", "Job"]


class Job(NamedTuple):
    """The arguments of a figure's `draw`.

    Attributes:
      scale: `tiny` (seconds, for tests), `cpu` or `paper` (the published sizes).
      seed: Seed of all random numbers.
      load: Loads the model of a run that the figure needs, by its name, and the run's dataset.
      folder: An existing folder for this figure, to save intermediate results so that long work can
        be resumed.
    """

    scale: str
    seed: int
    load: Callable[[str], tuple[Any, Dataset]]
    folder: Path


class Drawing(NamedTuple):
    """A figure.

    Attributes:
      numbers: What it shows, as JSON values.
      text: The main numbers, as Markdown.
      picture: A PNG file, or None if there is nothing to draw yet.
    """

    numbers: dict[str, Any]
    text: str
    picture: bytes | None
