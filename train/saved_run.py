"""A finished run, read back from its folder."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from train.config import TrainConfig
from train.errors import UserError
from train.quiet import import_tensorflow_quietly
from train.task import Task
from train.tasks import TASKS
from train.workdir import Workdir

if TYPE_CHECKING:
    import keras

__all__ = ["SavedRun", "load_model", "read_run"]


@dataclasses.dataclass(frozen=True)
class SavedRun:
    """What the config.json of a finished run says.

    Attributes:
      task: Kind of data.
      config: Settings of the training.
      model: The model's configuration, as a dictionary.
      dataset_sha256: Digest of the dataset.
    """

    task: Task
    config: TrainConfig
    model: dict[str, Any]
    dataset_sha256: str


def read_run(path: Path) -> SavedRun:
    """Reads the settings of a finished run; needs no TensorFlow.

    Raises:
      UserError: If there is no run, or it has not finished.
    """
    workdir = Workdir(path)
    settings = workdir.read_config()
    task = TASKS.get(settings.get("task"))
    if task is None:
        raise UserError(
            f"{workdir.config_file} names no kind of data ({', '.join(TASKS)}): it was written by "
            "another version; train again"
        )
    if not workdir.model_file.exists():
        raise UserError(
            f"the run in {path} has not finished: {task.config.program} with the same flags "
            "goes on with it"
        )
    return SavedRun(
        task,
        task.config.from_dict(settings["train"]),
        settings["model"],
        settings["dataset_sha256"],
    )


def load_model(path: Path) -> keras.Model:
    """Returns the model of a finished run, with its best weights.

    Raises:
      UserError: If the model's file is damaged.
    """
    import_tensorflow_quietly()
    import keras

    # Its classes must be known before they can be read back.
    import tf_latentflow  # noqa: F401

    file = Workdir(path).model_file
    try:
        return keras.saving.load_model(file)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"cannot read {file} ({type(error).__name__}): delete it and run the training "
            "with the same flags, which writes it again"
        ) from None
