"""What a figure of the paper is drawn from, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from train.data.dataset import Dataset

__all__ = ["Drawing", "Job", "Trained"]


class Trained(NamedTuple):
    """What a run has left.

    Attributes:
      model: A Keras model, with its best weights.
      dataset: What it was trained on.
    """

    model: Any
    dataset: Dataset


class Job(NamedTuple):
    """What a figure's `draw` is told.

    Attributes:
      scale: `tiny` (seconds, for tests), `cpu` or `paper` (the published sizes).
      seed: Of all that is random.
      load: Reads back a run that the figure asks for, by its name.
      folder: Of the figure alone, there already: for what takes long, so that it can go on.
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
