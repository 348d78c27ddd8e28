"""What a figure of the paper is drawn from, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Drawing", "Job"]


class Job(NamedTuple):
    """What a figure's `draw` is told.

    Attributes:
      scale: `tiny` (seconds, for tests), `cpu` or `paper` (the published sizes).
      seed: Of all that is random.
      runs: Folders of the finished runs that the figure asks for, by the name of the run.
      folder: Of the figure alone, there already: for what takes long, so that it can go on.
    """

    scale: str
    seed: int
    runs: Mapping[str, Path]
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
