"""The configuration of a run's model, from its settings and its dataset."""

from __future__ import annotations

from tf_latentflow import ModelConfig
from train.config import TrainConfig
from train.errors import UserError
from train.task import Dataset, Task

__all__ = ["model_config_of"]


def model_config_of(task: Task, config: TrainConfig, dataset: Dataset) -> ModelConfig:
    """Returns the configuration of the model that the settings name.

    Raises:
      UserError: If there is none.
    """
    try:
        return ModelConfig.from_name(
            config.model,
            preset=config.preset,
            **task.model_fields(dataset),
            **config.model_overrides(),
        )
    except ValueError as error:
        raise UserError(f"--model: {error}") from None
