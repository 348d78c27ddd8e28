"""How samples are shown, by the kind of data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import keras
import numpy as np

from tf_latentflow import ModelConfig
from train.backend.board import Board
from train.data.dataset import Dataset
from train.engine.run_files import RunFiles
from train.samples.flags import SampleConfig
from train.samples.given import Given
from train.samples.music import MusicSamples
from train.samples.text import TextSamples
from train.settings.config import TrainConfig

__all__ = ["SAMPLES", "Samples"]


class Samples(Protocol):
    """Shows text or music."""

    def show(
        self, model_config: ModelConfig, valid: Sequence[np.ndarray], config: TrainConfig
    ) -> Callable[[keras.Model, Board, int], None]:
        """Returns a function that shows a model on a board after a validation, at a step."""

    def write(
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

        `progress` is called as in `write`.

        Raises:
          UserError: The samples cannot be made.
        """


SAMPLES: Mapping[str, Samples] = {"text": TextSamples(), "music": MusicSamples()}
