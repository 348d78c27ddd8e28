"""The settings of a training run: one frozen dataclass, which also defines the flags."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, ClassVar, Self

from tf_latentflow import PRESETS, ModelConfig
from tf_latentflow.config import ConfigError, check_given, check_types
from tf_latentflow.config.rows import Setting, resolve
from train.engine.order import Vary
from train.engine.settings import LoopSettings
from train.settings.flags import (
    FLAGS_OF_MODEL,
    ModelSettings,
    RunSettings,
    WorkerSettings,
    model_flag_of,
)
from train.settings.presets import RULES
from train.settings.source import config_of, digest_of, find_model
from train.support.errors import UserError
from train.support.reading import expanded
from train.support.units import Unit

__all__ = ["TrainConfig"]


# A dataclass has the fields of its last base first: what is trained, then how.
@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig(WorkerSettings, LoopSettings, ModelSettings, RunSettings):
    """Settings of a training run. The same command resumes an interrupted run.

    `--preset` sets the other defaults; `--preset paper --help` shows those of paper.
    `--epochs` or `--max-steps` ends the run; setting one removes the preset's limit for the other.
    """

    # A kind of data has a subclass, which says these and the defaults that differ.
    task: ClassVar[str]
    """Name of the kind of data, a key of `train.data.tasks.TASKS`."""
    program: ClassVar[str]
    """Module of the program."""
    named_datasets: ClassVar[tuple[str, ...]]
    """Names of datasets that are not paths."""
    emissions: ClassVar[tuple[str, ...]]
    """Kinds of observation, keys of `config.choices.EMISSIONS`. The first is the default."""
    unit: ClassVar[Unit]
    """Unit of the likelihoods."""
    from_data: ClassVar[tuple[str, ...]]
    """Fields of `ModelConfig` that follow from the dataset."""

    @classmethod
    def from_preset(
        cls,
        preset: str = "small",
        model: str | None = None,
        dataset: str | None = None,
        **overrides: Any,
    ) -> Self:
        """Returns the settings of a preset for a model and a dataset, with `overrides` applied.

        None for a model or dataset stands for the default of this kind of data.

        Raises:
          ValueError: There is no such preset.
        """
        named = {"model": model, "dataset": dataset}
        named = {name: value for name, value in named.items() if value is not None}
        settings = cls.resolve(preset=preset, **named, **overrides)
        return cls(**{name: setting.value for name, setting in settings.items()})

    @classmethod
    def resolve(cls, **given: Any) -> dict[str, Setting]:
        """Returns every setting of a run, with the rule of `train.settings.presets` that set it.

        Args:
          **given: Settings by name, including preset, model and dataset unless they have their
            defaults.

        Raises:
          ValueError: There is no such preset.
        """
        preset = given.get("preset", cls.preset)
        if preset not in PRESETS:
            raise ValueError(f"expected a preset of {', '.join(PRESETS)}; got {preset!r}")
        defaults = {field.name: field.default for field in dataclasses.fields(cls)}
        return resolve(RULES, defaults, {"task": cls.task, **given})

    def check(self) -> None:
        """Checks all values.

        Raises:
          UserError: A value is invalid; the error names the flag and what it expects.
        """
        super().check()
        self.model_config()  # Whatever follows from the data.

    def to_dict(self) -> dict[str, Any]:
        """Returns the settings as JSON values: absolute paths, no workdir, `init_from`, workers."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        del fields["workdir"]  # A folder can be moved.
        del fields["init_from"]  # See `start_fields`.
        del fields["workers"], fields["worker_index"]
        if not self.has_named_dataset:
            fields["dataset"] = str(expanded(self.dataset).absolute())
        if self.data_dir is not None:
            fields["data_dir"] = str(expanded(self.data_dir).absolute())
        return fields

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Self:
        """Returns the settings written by `to_dict`.

        Raises:
          ConfigError: A value does not have the type of its field.
        """
        if isinstance(fields.get("data_dir"), str):
            fields = {**fields, "data_dir": Path(fields["data_dir"])}
        check_types(cls, fields)
        return cls(**fields)

    def model_config(self, **fields: Any) -> ModelConfig:
        """Returns the configuration of the model that the settings describe.

        Args:
          **fields: Fields of `ModelConfig` that follow from the dataset.

        Raises:
          UserError: There is no such model.
        """
        if self.emission not in (None, *self.emissions):
            expected = " or ".join(self.emissions)
            raise UserError(f"--emission expects {expected} for {self.task}; got {self.emission}")
        try:
            if self.init_from is not None:
                config = self._model_to_start_from(**fields)
            else:
                row = self.row_fields()
                config = ModelConfig.from_name(self.model, self.preset, **row, **fields)
            check_given(config, self.model_flags())
            return config
        except ConfigError as error:
            raise UserError(f"{model_flag_of(error.field)}: {error}") from None

    def _model_to_start_from(self, max_length: int = 1, **fields: Any) -> ModelConfig:
        """Returns the configuration of `init_from`, with the dataset's fields and any dropout."""
        start = config_of(find_model(self.init_from))
        if start.emission not in self.emissions:
            raise UserError(
                f"--init-from expects a model of {self.task}; got {self.init_from}, whose emission "
                f"is {start.emission}"
            )
        flags = self.model_flags()
        for name, value in {"name": self.model, **flags}.items():
            if name not in _DROPOUT and getattr(start, name) != value:
                raise UserError(
                    f"{model_flag_of(name)} expects {getattr(start, name)}, like {self.init_from}; "
                    f"got {value}; leave out this flag or --init-from"
                )
        fields["max_length"] = max(max_length, start.max_length)
        return dataclasses.replace(start, **flags, **fields)

    def run_fields(self) -> dict[str, Any]:
        """Returns the fields of a run's config.json that follow from the settings."""
        return {"task": self.task, **self.start_fields(), "train": self.to_dict()}

    def start_fields(self) -> dict[str, Any]:
        """Returns the fields of a run's config.json that describe the model it started from."""
        if self.init_from is None:
            return {"init_from": None, "init_from_sha256": None}
        digest = digest_of(find_model(self.init_from))
        return {"init_from": self.init_from, "init_from_sha256": digest}

    def model_flags(self) -> dict[str, Any]:
        """Returns the fields of `ModelConfig` set by flags."""
        values = {name: getattr(self, name) for name in FLAGS_OF_MODEL}
        values = {name: value for name, value in values.items() if value is not None}
        if "made_units" in values:
            values["made_sizes"] = (values.pop("made_units"),) * 2
        return values

    def row_fields(self) -> dict[str, Any]:
        """Returns the fields of `ModelConfig` that the row is given: flags, and the emission.

        A row of music has an emission of its own. The others get the default of the task.

        Raises:
          ConfigError: There is no such row.
          UserError: The row is not for this task.
        """
        flags = self.model_flags()
        emission = ModelConfig.resolve(self.model, self.preset)["emission"]
        if not emission.when:
            return {"emission": self.emissions[0], **flags}
        if emission.value not in self.emissions:
            raise UserError(
                f"--model expects a row of {self.task}; got {self.model}, whose emission is "
                f"{emission.value}"
            )
        return flags

    @property
    def has_named_dataset(self) -> bool:
        """Whether the dataset is a name, and not a path."""
        return self.dataset in self.named_datasets

    # What these three return are classes of `train.data`, which imports this module.

    def load(self) -> Any:
        """Returns the dataset, a `train.data.dataset.Dataset`.

        Raises:
          UserError: It cannot be read or downloaded.
        """
        raise NotImplementedError

    def is_divided(self) -> bool:
        """Whether the dataset comes with splits. Other data is split by hash, or used as a whole.

        Raises:
          UserError: It cannot be read.
        """
        raise NotImplementedError

    def load_undivided(self) -> Any:
        """Returns data without splits, a `train.data.dataset.Undivided`.

        Raises:
          UserError: It cannot be read.
        """
        raise NotImplementedError

    @property
    def vary(self) -> Vary | None:
        """How training sequences are changed whenever they are read; None to leave them."""
        return None

    @property
    def run_directory(self) -> Path:
        """The workdir, or its default name."""
        if self.workdir is not None:
            return expanded(self.workdir)
        dataset = Path(self.dataset).stem or "data"
        # Beside a run that starts anew.
        model = self.model if self.init_from is None else f"from-{Path(self.init_from).name}"
        return Path("runs") / f"{model}-{dataset}-{self.preset}-{self.seed}"


_DROPOUT = ("dropout", "posterior_dropout", "emitter_dropout")
