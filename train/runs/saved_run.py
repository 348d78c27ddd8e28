"""What a finished run says of itself; needs no TensorFlow."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tf_latentflow import ModelConfig
from train.data.tasks import TASKS
from train.engine.workdir import Workdir
from train.settings.config import TrainConfig
from train.support.errors import UserError

__all__ = ["SavedRun", "read_run", "saved_fields"]


@dataclasses.dataclass(frozen=True)
class SavedRun:
    """What the config.json of a finished run says.

    Attributes:
      workdir: Its folder.
      config: Settings of the training.
      model_config: The configuration of the model.
      dataset_sha256: Digest of the dataset.
    """

    workdir: Workdir
    config: TrainConfig
    model_config: ModelConfig
    dataset_sha256: str


def read_run(path: Path) -> SavedRun:
    """Reads the settings of a finished run.

    Raises:
      UserError: If there is no run, it has not finished, is damaged, or of another version.
    """
    workdir = Workdir(path)
    task = workdir.read_config().get("task")
    kind = TASKS.get(task) if isinstance(task, str) else None
    if kind is None:
        raise UserError(
            f"{workdir.config_file} names no kind of data ({', '.join(TASKS)}): train again"
        )
    if not workdir.model_file.exists():
        raise UserError(
            f"the run in {path} has not finished: {kind.program} with the same flags "
            "goes on with it"
        )
    settings = workdir.read_config(saved_fields(kind))
    try:
        return SavedRun(
            workdir,
            kind.from_dict(settings["train"]),
            ModelConfig.from_dict(settings["model"]),
            settings["dataset_sha256"],
        )
    except (KeyError, ValueError) as error:
        raise UserError(
            f"{workdir.config_file} is damaged ({type(error).__name__}: {error}): train again"
        ) from None


def saved_fields(kind: type[TrainConfig]) -> dict[str, list[str]]:
    """Returns the names of the fields in a run's config.json, by section."""
    model = [field.name for field in dataclasses.fields(ModelConfig)]
    return {"train": list(kind.from_preset().to_dict()), "model": model}
