"""What a training run is told: one frozen dataclass, from which the flags are made."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from train.errors import UserError
from train.presets import preset_fields

__all__ = ["TrainConfig"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Settings of a training run, which the same command again continues.

    `--preset` sets the other defaults; `--preset paper --help` shows those of paper.
    `--epochs` or `--max-steps` ends the run, and one alone lifts the preset's other.
    """

    # A kind of data has a subclass, which says these and the defaults that differ.
    task: ClassVar[str]
    """Name of the kind of data, a key of `train.tasks.TASKS`."""
    program: ClassVar[str]
    """Module that is run."""
    named_datasets: ClassVar[tuple[str, ...]]
    """Datasets that are no path."""

    # The docstrings are the help, which keeps the line breaks before an indent or a mark.

    model: str = "af-af"
    """af-af, af-scf, iaf-scf, af-only, af-af-affine, af-indep or af-indep-affine, latent flows;
    or lstm, the discrete baseline."""
    dataset: str
    """Name of a dataset, or a path."""
    data_dir: Path | None = None
    """Folder with the files of the dataset. None: downloaded once, to a cache."""
    preset: Literal["tiny", "small", "paper"] = "small"
    """Sizes and defaults: tiny (seconds, for tests), small (minutes), paper (as published)."""
    workdir: Path | None = None
    """Folder of the run. None: runs/MODEL-DATASET-PRESET-SEED."""
    seed: int = 0
    """Seed of the initial weights, the order of the data and all random numbers."""

    epochs: int | None = None
    """Length of the run [passes over the training data]. None: no limit of this kind."""
    max_steps: int | None = None
    """Length of the run [optimiser steps]. None: no limit of this kind."""
    batch_size: int = 32
    """Sequences that go through the model at once [sequences]."""
    max_batch_steps: int = 0
    """Most time steps, padding included, in a batch: longer sequences come in smaller batches,
    and the longest alone [time steps]. 0: no limit."""
    accumulation_steps: int = 1
    """Batches whose gradients are added for one optimiser step [batches]."""
    elbo_samples: int = 1
    """Samples of q(z|x) in the training loss [samples of each sequence]. The baseline has none."""

    latent_size: int | None = None
    """Dimensions H of a step's latent vector. None: that of the sizes."""
    hidden_size: int | None = None
    """Units of every LSTM and of the embedding. None: that of the sizes."""
    flow_layers: int | None = None
    """Flow layers within a step. None: that of the sizes."""
    made_units: int | None = None
    """Units of each hidden layer of a flow layer's network. None: that of the sizes."""
    dropout: float | None = None
    """Dropout of the LSTM of the prior (0 for IAF), or of the baseline [0 to 1]. None: that of the
    sizes."""
    posterior_dropout: float | None = None
    """Dropout of the states that the inference network reads q(z|x) from [0 to 1]. None: 0."""
    emitter_dropout: float | None = None
    """Dropout of the states beside z that the emitter reads [0 to 1]. None: 0."""

    optimizer: Literal["adam", "sgd"] = "adam"
    """Update rule of the weights."""
    learning_rate: float = 1e-3
    """Initial step size of the optimiser."""
    clip_norm: float = 0.25
    """Largest global norm of the gradient of the loss [nats per symbol]."""
    plateau_patience: int = 1
    """Validations without improvement that are waited out after the KL ramp [validations]."""
    plateau_factor: float = 4.0
    """What the next one without improvement divides the step size by."""
    final_decay: float = 0.0
    """Share of the run, at its end, over which the step size falls linearly to 0 [0 to 1]."""

    schedule_unit: Literal["steps", "epochs"] = "steps"
    """Unit of --kl-zero, --kl-ramp and --eval-every."""
    kl_zero: float = 0.0
    """Time at the start for which the KL term has only the weight --kl-floor [--schedule-unit]."""
    kl_ramp: float = 0.0
    """Time after that over which its weight rises linearly to 1 [--schedule-unit]."""
    kl_floor: float = 1e-5
    """Smallest weight of the KL term: more than 0, so that the prior learns from the start."""

    eval_every: float = 1.0
    """Time between validations [--schedule-unit]."""
    valid_sequences: int = 0
    """Sequences of the validation split that a validation during training uses. 0: all."""
    valid_samples: int = 1
    """Samples of q(z|x) in a validation during training [samples of each sequence]."""
    test_samples: int = 50
    """Importance samples of the final test [samples of each sequence]."""
    checkpoint_steps: int = 100
    """Steps between checkpoints [optimiser steps]."""
    log_steps: int = 20
    """Steps between lines of progress [optimiser steps]."""
    mixed_precision: bool = False
    """Products of matrices rounded to bfloat16; sums, flows, losses and weights stay float32."""
    compile_loops: bool = True
    """Compile the serial loops of training and testing with XLA, once for each length of a batch:
    seconds at the start, for twice the speed."""
    jit: bool = False
    """Compile the whole training step, likewise."""

    @classmethod
    def from_preset(
        cls,
        preset: str = "small",
        model: str = "af-af",
        dataset: str | None = None,
        **overrides: Any,
    ) -> Self:
        """Returns a preset's settings for a model and a dataset, with `overrides` on top.

        Raises:
          ValueError: If there is no such preset.
        """
        dataset = cls.dataset if dataset is None else dataset
        fields = {**preset_fields(cls.task, preset, model, dataset), "dataset": dataset}
        # A limit given by hand replaces that of the preset, whichever unit either has.
        if overrides.keys() & {"epochs", "max_steps"}:
            fields |= {"epochs": None, "max_steps": None}
        return cls(**{**fields, "preset": preset, "model": model, **overrides})

    def check(self) -> None:
        """Refuses values that no run can have.

        Raises:
          UserError: Naming the flag, what it expects and what it got.
        """
        for name in _POSITIVE:
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                _refuse(name, "a number above 0", value)
        for name in _NOT_NEGATIVE:
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                _refuse(name, "a number of at least 0", value)
        if not 0 <= self.seed < 2**31:
            _refuse("seed", "a whole number from 0 to 2147483647", self.seed)
        if not self.plateau_factor >= 1:
            _refuse("plateau_factor", "a number of at least 1", self.plateau_factor)
        for name in (*_MODEL_SIZES, "made_units"):
            value = getattr(self, name)
            if value is not None and value < 1:
                _refuse(name, "a whole number above 0", value)
        for name in _DROPOUTS:
            value = getattr(self, name)
            if value is not None and not 0 <= value < 1:
                _refuse(name, "a number from 0 to below 1", value)
        if not self.final_decay <= 1:
            _refuse("final_decay", "a share from 0 to 1", self.final_decay)
        if not self.kl_floor <= 1:
            _refuse("kl_floor", "a weight above 0, and at most 1", self.kl_floor)
        if self.epochs is None and self.max_steps is None:
            raise UserError("the run has no end: give --epochs or --max-steps")

    def to_dict(self) -> dict[str, Any]:
        """Returns the settings as JSON values; paths are absolute, and the workdir is left out."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        del fields["workdir"]  # A folder can be moved.
        if self.dataset not in self.named_datasets:
            fields["dataset"] = str(Path(self.dataset).expanduser().absolute())
        if self.data_dir is not None:
            fields["data_dir"] = str(self.data_dir.expanduser().absolute())
        return fields

    @classmethod
    def from_dict(cls, fields: dict[str, Any], workdir: Path | None = None) -> Self:
        """Returns the settings that `to_dict` wrote."""
        data_dir = fields.get("data_dir")
        return cls(
            **{**fields, "data_dir": None if data_dir is None else Path(data_dir)}, workdir=workdir
        )

    def model_overrides(self) -> dict[str, Any]:
        """Returns the fields of `ModelConfig` that are set by flags."""
        values = {name: getattr(self, name) for name in (*_MODEL_SIZES, *_DROPOUTS)}
        if self.made_units is not None:
            values["made_sizes"] = (self.made_units, self.made_units)
        return {name: value for name, value in values.items() if value is not None}

    @property
    def run_directory(self) -> Path:
        """The workdir, or its default name."""
        if self.workdir is not None:
            return self.workdir.expanduser()
        dataset = Path(self.dataset).stem or "data"
        return Path("runs") / f"{self.model}-{dataset}-{self.preset}-{self.seed}"


_MODEL_SIZES = ("latent_size", "hidden_size", "flow_layers")
_DROPOUTS = ("dropout", "posterior_dropout", "emitter_dropout")
_POSITIVE = (
    "epochs",
    "max_steps",
    "batch_size",
    "accumulation_steps",
    "elbo_samples",
    "learning_rate",
    "clip_norm",
    "kl_floor",
    "eval_every",
    "valid_samples",
    "test_samples",
    "checkpoint_steps",
    "log_steps",
)
_NOT_NEGATIVE = (
    "max_batch_steps",
    "final_decay",
    "kl_zero",
    "kl_ramp",
    "valid_sequences",
    "plateau_patience",
)


def _refuse(name: str, expected: str, value: object) -> None:
    """Raises the error of one flag."""
    flag = "--" + name.replace("_", "-")
    raise UserError(f"{flag} expects {expected}; got {value}")
