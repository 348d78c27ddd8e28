"""The interface for showing samples of one kind of data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import keras
import numpy as np

from tf_latentflow import ModelConfig
from train.backend.board import Board
from train.data.dataset import Dataset
from train.engine.run_files import RunFiles
from train.samples.flags import SampleConfig
from train.samples.given import Given
from train.settings.config import TrainConfig

__all__ = ["Samples", "Show"]

# Shows a model on the board after a validation: model, board, step.
Show = Callable[[keras.Model, Board, int], None]


class Samples(Protocol):
    """Shows text or music. `train.samples.kinds.SAMPLES` has both by name."""

    def show(
        self, model_config: ModelConfig, valid: Sequence[np.ndarray], config: TrainConfig
    ) -> Show:
        """Returns a function that shows a model in TensorBoard after a validation."""

    def leave(
        self,
        model: keras.Model,
        dataset: Dataset,
        config: TrainConfig,
        run: RunFiles,
        progress: Callable[[int, int], None],
    ) -> dict[str, Any]:
        """Writes samples of a finished model; returns the section `samples` of `results.json`.

        `progress` is called with the number drawn so far and in total.
        """

    def sample(
        self,
        model: keras.Model,
        flags: SampleConfig,
        config: TrainConfig,
        given: Given,
        progress: Callable[[int, int], None],
    ) -> Iterator[str]:
        """Makes the samples of `train.sample`, and yields the lines to print as they are made.

        `progress` is called as in `leave`.

        Raises:
          UserError: The samples cannot be made.
        """
