"""What a figure of the paper is drawn from, and its result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from train.data.dataset import Dataset

__all__ = ["Drawing", "Job", "Trained"]


class Trained(NamedTuple):
    """A trained model and its data.

    Attributes:
      model: A Keras model, with its best weights.
      dataset: What it was trained on.
    """

    model: Any
    dataset: Dataset


class Job(NamedTuple):
    """The arguments of a figure's `draw`.

    Attributes:
      scale: `tiny` (seconds, for tests), `cpu` or `paper` (the published sizes).
      seed: Seed of all random numbers.
      load: Loads a run that the figure needs, by its name.
      folder: An existing folder for this figure, to save intermediate results so that long work can
        be resumed.
    """

    scale: str
    seed: int
    load: Callable[[str], Trained]
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
