"""What a training run on text is told."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import ClassVar

from train.data.text.corpus import Corpus, load_corpus
from train.data.text.undivided import UndividedText, load_undivided
from train.data.text.user_text import has_splits
from train.settings.config import TrainConfig
from train.settings.flags import ModelName
from train.support.units import BITS_PER_CHARACTER, Unit

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
    emission: ClassVar[str] = "categorical"
    unit: ClassVar[Unit] = BITS_PER_CHARACTER
    from_data: ClassVar[tuple[str, ...]] = ("vocab_size", "vocabulary")

    model: ModelName = "codebook"
    dataset: str = "pydoc"
    """pydoc (built in), ptb (Penn Treebank), or a UTF-8 file or folder, a sentence a line."""
    data_dir: Path | None = None
    """Folder with train.txt, valid.txt and test.txt of ptb. None: downloaded once, to a cache."""

    def load(self) -> Corpus:
        """Returns the dataset.

        Raises:
          UserError: If it cannot be had.
        """
        return load_corpus(self.dataset, self.data_dir)

    def is_divided(self) -> bool:
        """Whether the dataset comes with splits; other data is dealt to splits, or is one.

        Raises:
          UserError: If it is a folder without text files.
        """
        return self.dataset in self.named_datasets or has_splits(self.dataset)

    def load_undivided(self) -> UndividedText:
        """Returns data that comes without splits, to be evaluated as a whole.

        Raises:
          UserError: If it cannot be had.
        """
        return load_undivided(self.dataset)
