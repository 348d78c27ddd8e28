"""What a training run on text is told."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import ClassVar

from train.config import TrainConfig

__all__ = ["TextConfig"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextConfig(TrainConfig):
    """Settings of a training run on text, which the same command again continues.

    `--preset` sets the other defaults; `--preset paper --help` shows those of paper.
    `--epochs` or `--max-steps` ends the run, and one alone lifts the preset's other.
    """

    task: ClassVar[str] = "text"
    program: ClassVar[str] = "train.char_lm"
    named_datasets: ClassVar[tuple[str, ...]] = ("pydoc", "ptb")

    dataset: str = "pydoc"
    """pydoc (built in), ptb (Penn Treebank), or a UTF-8 file or folder, a sentence a line."""
    data_dir: Path | None = None
    """Folder with train.txt, valid.txt and test.txt of ptb. None: downloaded once, to a cache."""
