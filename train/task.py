"""What the programs must know of a kind of data, and all that they know of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from train.config import TrainConfig
from train.units import Unit

if TYPE_CHECKING:
    import keras
    import numpy as np

    from tf_latentflow import ModelConfig
    from train.board import Board
    from train.sample import SampleConfig

__all__ = ["Dataset", "Task"]


class Dataset(Protocol):
    """Three splits of sequences.

    Attributes:
      name: The dataset as the user named it.
      train: Training sequences: sentences, or piano rolls.
      valid: Validation sequences.
      test: Test sequences.
      sha256: Digest over the three splits.
    """

    name: str
    train: Sequence[Any]
    valid: Sequence[Any]
    test: Sequence[Any]
    sha256: str


class Task(Protocol):
    """A kind of data: text or music. `train.tasks.TASKS` has them by name.

    Importing a task imports no TensorFlow, so that bad input is refused at once; its methods below
    `describe` may.

    Attributes:
      config: Settings of a training run on such data.
      unit: In what likelihoods are given.
    """

    config: type[TrainConfig]
    unit: Unit

    def load(self, config: TrainConfig) -> Dataset:
        """Returns the dataset that the settings name.

        Raises:
          UserError: If it cannot be had.
        """

    def describe(self, dataset: Dataset) -> str:
        """Returns what a dataset holds, and what of it was left out."""

    def model_fields(self, dataset: Dataset) -> dict[str, Any]:
        """Returns the fields of `ModelConfig` that follow from the dataset."""

    def encode(self, model_config: ModelConfig, sequences: Sequence[Any]) -> list[np.ndarray]:
        """Returns the sequences that the model gives a probability, as arrays `[T, ...]`."""

    def split_numbers(
        self, sequences: Sequence[Any], encoded: Sequence[np.ndarray]
    ) -> dict[str, Any]:
        """Returns what `results.json` says of a split beside the numbers of all tasks."""

    def show(
        self, model_config: ModelConfig, valid: Sequence[np.ndarray], config: TrainConfig
    ) -> Callable[[keras.Model, Board, int], None]:
        """Returns what shows a model in TensorBoard after a validation."""

    def leave_samples(
        self, model: keras.Model, dataset: Dataset, config: TrainConfig, workdir: Path
    ) -> dict[str, Any]:
        """Writes samples of a finished model; returns what `results.json` says of them."""

    def print_samples(self, workdir: Path, numbers: dict[str, Any]) -> None:
        """Prints what `leave_samples` wrote and returned."""

    def check_sample_flags(self, flags: SampleConfig, model: dict[str, Any]) -> None:
        """Refuses flags of `train.sample` that this kind of data or the model's config forbids.

        Raises:
          UserError: If there is one.
        """

    def sample(self, model: keras.Model, flags: SampleConfig, config: TrainConfig) -> None:
        """Does what `train.sample` was told.

        Raises:
          UserError: If it cannot be done.
        """
