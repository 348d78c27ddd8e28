"""Reads the settings with which a model was trained; needs no TensorFlow."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from tf_latentflow import ModelConfig
from tf_latentflow.pretrained.folder import Pretrained
from train.data.tasks import TASKS
from train.engine.run_files import RunFiles
from train.engine.workdir import Workdir
from train.settings.config import TrainConfig
from train.settings.source import Source, find_model
from train.support.errors import UserError

__all__ = ["SavedRun", "kind_of", "read_run", "saved_fields"]


@dataclasses.dataclass(frozen=True)
class SavedRun:
    """A trained model and how it was trained.

    Attributes:
      source: The folder of its run, or the pretrained model.
      config: Settings of the training.
      model_config: Configuration of the model.
      dataset_sha256: Digest of the dataset; None for a model that no program has trained.
    """

    source: Source
    config: TrainConfig
    model_config: ModelConfig
    dataset_sha256: str | None

    @property
    def samples_folder(self) -> Path:
        """Folder for samples that are files: in the run, or `samples` in the current folder."""
        files = self.source if isinstance(self.source, Workdir) else RunFiles(Path())
        return files.samples_folder


def read_run(source: str | Path) -> SavedRun:
    """Reads the settings of a finished run or of a pretrained model.

    Args:
      source: The folder of either, or the name of a pretrained model.

    Raises:
      UserError: There is no such model, the run has not finished, or its description is damaged or
        from another version.
    """
    found = find_model(source)
    return _of_run(found) if isinstance(found, Workdir) else _of_pretrained(found)


def kind_of(workdir: Workdir) -> type[TrainConfig]:
    """Returns the class of the settings of a run, which may be unfinished.

    Raises:
      UserError: There is no run, or its settings are damaged or from another version.
    """
    task = workdir.read_config().get("task")
    kind = TASKS.get(task) if isinstance(task, str) else None
    if kind is None:
        raise UserError(
            f"{workdir.config_file} does not name its kind of data ({', '.join(TASKS)}): train "
            "again"
        )
    return kind


def _of_run(workdir: Workdir) -> SavedRun:
    kind = kind_of(workdir)
    if not workdir.model_file.exists():
        raise UserError(
            f"the run in {workdir.path} has not finished: resume it with {kind.program} and the "
            "same flags"
        )
    fields = saved_fields(kind)
    settings = Workdir(workdir.path, fields).read_config(fields)
    try:
        return SavedRun(
            workdir,
            kind.from_dict(settings["train"]),
            ModelConfig.from_dict(settings["model"]),
            settings["dataset_sha256"],
        )
    except (KeyError, ValueError) as error:
        raise UserError(
            f"cannot use {workdir.config_file} ({type(error).__name__}: {error}): use the program "
            "that wrote it, or train again"
        ) from None


def _of_pretrained(found: Pretrained) -> SavedRun:
    """Reads the training settings of a pretrained model; those unknown to this version are dropped.

    They determine its dataset, seed and batches.
    """
    kind = next(kind for kind in TASKS.values() if found.model.emission in kind.emissions)
    if found.run is None:
        return SavedRun(found, kind.from_preset(), found.model, None)
    known = {field.name for field in dataclasses.fields(kind)}
    try:
        settings = {name: v for name, v in found.run["train"].items() if name in known}
        config = dataclasses.replace(kind.from_preset(), **settings)
        return SavedRun(found, config, found.model, found.run["dataset_sha256"])
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"cannot read the training settings of {found.folder} "
            f"({type(error).__name__}: {error}): export the model again"
        ) from None


def saved_fields(kind: type[TrainConfig]) -> dict[str, dict[str, Any]]:
    """Returns the fields in a run's config.json by section, each with its default."""
    return {"train": kind().to_dict(), "model": ModelConfig().to_dict()}
