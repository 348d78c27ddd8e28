"""The settings of a training run on text."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import ClassVar

from train.data.text.built_in import BUILT_IN
from train.data.text.corpus import Corpus, load_corpus
from train.data.text.releases import RELEASES
from train.data.text.undivided import UndividedText, load_undivided
from train.data.text.user_text import has_splits
from train.settings.config import TrainConfig
from train.settings.flags import ModelName
from train.support.units import BITS_PER_CHARACTER, Unit

__all__ = ["TextConfig"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextConfig(TrainConfig):
    """Trains a model of text, tests it and draws samples.

    The same command resumes an interrupted run. `--preset` sets the other defaults; `--preset paper
    --help` shows those of paper. `--epochs` or `--max-steps` ends the run; setting one removes the
    preset's limit for the other.
    """

    task: ClassVar[str] = "text"
    program: ClassVar[str] = "train.char_lm"
    named_datasets: ClassVar[tuple[str, ...]] = (*BUILT_IN, *RELEASES)
    emissions: ClassVar[tuple[str, ...]] = ("categorical",)
    unit: ClassVar[Unit] = BITS_PER_CHARACTER
    from_data: ClassVar[tuple[str, ...]] = ("vocab_size", "vocabulary")

    model: ModelName = "codebook"
    dataset: str = "pydoc"
    """pydoc or python-docs (built in: Python's language reference; with the docstrings of its
    library), ptb (Penn Treebank), or a UTF-8 file or folder, one sentence per line."""
    data_dir: Path | None = None
    """Folder with train.txt, valid.txt and test.txt of ptb. None: they are downloaded once."""

    def load(self) -> Corpus:
        """Returns the dataset.

        Raises:
          UserError: It cannot be read or downloaded.
        """
        return load_corpus(self.dataset, self.data_dir)

    def is_divided(self) -> bool:
        """Whether the dataset comes with splits. Other data is split by hash, or used as a whole.

        Raises:
          UserError: It is a folder without text files.
        """
        return self.has_named_dataset or has_splits(self.dataset)

    def load_undivided(self) -> UndividedText:
        """Returns data without splits, to be evaluated as a whole.

        Raises:
          UserError: It cannot be read.
        """
        return load_undivided(self.dataset)
