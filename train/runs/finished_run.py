"""Writes the last file of a run: its results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from train.data.dataset import Dataset
from train.engine.progress import show_split_progress
from train.engine.workdir import Workdir
from train.runs.saved_model import weights_sha256
from train.samples.kinds import SAMPLES
from train.settings.config import TrainConfig
from train.support.files import write_json
from train.support.screen import Screen

__all__ = ["write_results"]


def write_results(
    workdir: Workdir,
    config: TrainConfig,
    dataset: Dataset,
    model: keras.Model,
    *,
    test: Mapping[str, Any],
    train: Mapping[str, Any],
    screen: Screen,
) -> None:
    """Writes samples of a model, then `results.json`, the last file of a run.

    Args:
      workdir: Folder of the run.
      config: Settings of the run.
      dataset: Its data.
      model: The model with its best weights.
      test: Results of the test.
      train: Summary of the training.
      screen: Shows the progress.
    """
    progress = show_split_progress(screen, "drawing samples")
    samples = SAMPLES[config.task].leave(model, dataset, config, workdir, progress)
    write_json(
        workdir.results_file,
        {
            "task": config.task,
            "model": config.model,
            "dataset": config.to_dict()["dataset"],
            "dataset_sha256": dataset.sha256,
            "preset": config.preset,
            "seed": config.seed,
            "test": test,
            "train": {**train, "weights_sha256": weights_sha256(model)},
            "samples": samples,
        },
    )
