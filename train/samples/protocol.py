"""What is shown of the models of a kind of data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from tf_latentflow import ModelConfig
from train.backend.board import Board
from train.data.dataset import Dataset
from train.samples.flags import SampleConfig
from train.samples.given import Given
from train.settings.config import TrainConfig

__all__ = ["Samples", "Show"]

# Shows a model on the board after a validation: model, board, step.
Show = Callable[[keras.Model, Board, int], None]


class Samples(Protocol):
    """Text or music as it is shown. `train.samples.kinds.SAMPLES` has both by name."""

    def show(
        self, model_config: ModelConfig, valid: Sequence[np.ndarray], config: TrainConfig
    ) -> Show:
        """Returns what shows a model in TensorBoard after a validation."""

    def leave(
        self,
        model: keras.Model,
        dataset: Dataset,
        config: TrainConfig,
        folder: Path,
        progress: Callable[[int, int], None],
    ) -> dict[str, Any]:
        """Writes samples of a finished model; returns what `results.json` says of them.

        `progress` is told how many of how many are drawn.
        """

    def sample(
        self, model: keras.Model, flags: SampleConfig, config: TrainConfig, given: Given
    ) -> list[str]:
        """Does what `train.sample` was told, and returns the lines that it prints.

        Raises:
          UserError: If it cannot be done.
        """
