"""The folders of finished runs, without a training."""

from __future__ import annotations

from pathlib import Path

import keras

from train.engine.workdir import Workdir
from train.runs.saved_model import save_model
from train.settings.config import TrainConfig

__all__ = ["finish_run"]


def finish_run(folder: Path, model: keras.Model, config: TrainConfig) -> Path:
    """Writes what the programs read of a finished run, and returns the folder."""
    workdir = Workdir(folder)
    settings = {"train": config.to_dict(), "model": model.config.to_dict()}
    workdir.claim({"task": config.task, "dataset_sha256": "", **settings})
    save_model(model, workdir)
    return folder
