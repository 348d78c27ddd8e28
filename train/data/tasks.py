"""The kinds of data by name, each with the settings of its runs, which load the dataset."""

from __future__ import annotations

from collections.abc import Mapping

from train.data.music.config import MusicConfig
from train.data.text.config import TextConfig
from train.settings.config import TrainConfig

__all__ = ["TASKS", "task_of"]

TASKS: Mapping[str, type[TrainConfig]] = {
    config.task: config for config in (TextConfig, MusicConfig)
}


def task_of(dataset: str | None) -> type[TrainConfig] | None:
    """Returns the class of the settings for a named dataset, or None."""
    return next((kind for kind in TASKS.values() if dataset in kind.named_datasets), None)
