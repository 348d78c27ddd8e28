"""What a finished run leaves in its folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from train.checkpoints import weights_sha256
from train.config import TrainConfig
from train.files import replace_file, write_json
from train.task import Dataset, Task
from train.workdir import Workdir

__all__ = ["save_model", "write_results"]


def save_model(model: keras.Model, workdir: Workdir) -> None:
    """Writes `model.keras`, whole or not at all."""
    temporary = workdir.path / ".tmp.model.keras"
    model.save(temporary)
    replace_file(temporary, workdir.model_file)


def write_results(
    workdir: Workdir,
    task: Task,
    config: TrainConfig,
    dataset: Dataset,
    model: keras.Model,
    *,
    test: Mapping[str, Any],
    train: Mapping[str, Any],
) -> None:
    """Leaves samples of a model and writes `results.json`, the last file of a run.

    Args:
      workdir: Folder of the run.
      task: Kind of data.
      config: Settings of the run.
      dataset: Its data.
      model: With its best weights.
      test: The numbers of the test.
      train: What the training says of itself.
    """
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
            "samples": task.leave_samples(model, dataset, config, workdir.path),
        },
    )
