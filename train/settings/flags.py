"""Flags of a training for what is trained, and on which data; `LoopSettings` has those for how."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

import tyro

from tf_latentflow import MODEL_NAMES, ModelConfig

__all__ = [
    "FLAGS_OF_MODEL",
    "ModelName",
    "ModelSettings",
    "RunSettings",
    "WorkerSettings",
    "flag_of",
]

_FLOWS = [name for name in MODEL_NAMES if ModelConfig.from_name(name).is_flow]
_BASELINES = [name for name in MODEL_NAMES if name not in _FLOWS]
_MODEL_HELP = (
    f"{', '.join(_FLOWS[:-1])} or {_FLOWS[-1]}, latent flows;\n"
    f"or {' or '.join(_BASELINES)}, the discrete baseline.\n"
    "chords is for music alone."
)
ModelName = Annotated[str, tyro.conf.arg(help=_MODEL_HELP)]
"""The name of a row, as a flag."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunSettings:
    """What is trained, on what, and where."""

    # The docstrings are the help, which keeps the line breaks before an indent or a mark.

    model: ModelName = "af-af"
    dataset: str
    """Name of a dataset, or a path."""
    data_dir: Path | None = None
    """Folder with the files of the dataset. None: downloaded once, to a cache."""
    preset: Literal["tiny", "small", "paper"] = "small"
    """Sizes and defaults: tiny (seconds, for tests), small (minutes), paper (as published)."""
    workdir: Path | None = None
    """Folder of the run. None: runs/MODEL-DATASET-PRESET-SEED."""
    init_from: str | None = None
    """Trained model to start from, which also says what the model is: a pretrained one by name or
    folder, or the folder of a run. Characters that are new get new weights. None: start anew."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """On which machines. It is no part of a run, which may go on with others."""

    workers: str | None = None
    """Addresses of all processes that train together, HOST:PORT,HOST:PORT,... The first, the chief,
    needs the port after its own too. None: as TF_CONFIG says, or this process alone."""
    worker_index: Annotated[int | None, tyro.conf.arg(name="task")] = None
    """Which of --workers this process is [from 0, the chief]. None: as TF_CONFIG says."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """What of the model is not as its name and the preset say."""

    scalar: str | None = None
    """Map of one dimension of z: affine, nlsq, spline:K or mixture:K. None: the model's."""
    hidden: str | None = None
    """Structure within a step: af, scf or none. None: the model's."""
    time: str | None = None
    """Structure across steps: af, iaf, multiscale, coupling or none. None: the model's."""
    inference: str | None = None
    """From x to q(z|x): bilstm, conv:K, local (of one step) or codebook. None: the model's."""
    emitter: str | None = None
    """From z to p(x|z): bilstm, conv:K, local or codebook (Bayes' rule of that of --inference).
    None: the model's."""
    emission: str | None = None
    """What is observed at a step: categorical for text; for music, bernoulli (independent notes) or
    made (each note given those above it). None: the model's."""
    conditioner: str | None = None
    """What summarises other steps for the prior: lstm, conv:K or attention:K. None: the model's."""
    conditioner_input: str | None = None
    """What --conditioner reads of a step: latents, or symbols (how likely each is given z, by the
    codebook; --time af and multiscale). None: the model's."""

    latent_size: int | None = None
    """Dimensions H of a step's latent vector. None: that of the sizes."""
    hidden_size: int | None = None
    """Units of every LSTM and of the embedding. None: that of the sizes."""
    flow_layers: int | None = None
    """Flow layers within a step. None: that of the sizes."""
    time_layers: int | None = None
    """Flow layers along time, one after the other. None: that of the sizes."""
    made_units: int | None = None
    """Units of each hidden layer of a flow layer's network. None: that of the sizes."""
    dropout: float | None = None
    """Dropout of the LSTM of the prior (0 for IAF), or of the baseline [0 to 1]. None: that of the
    sizes."""
    posterior_dropout: float | None = None
    """Dropout of the states that the inference network reads q(z|x) from [0 to 1]. None:
    that of the sizes."""
    emitter_dropout: float | None = None
    """Dropout of the states beside z that the emitter reads [0 to 1]. None: that of the
    sizes."""


FLAGS_OF_MODEL = tuple(field.name for field in dataclasses.fields(ModelSettings))

# By which flag a field of `ModelConfig` is set, where it is not the field's name.
_FLAGS = {"name": "model", "made_sizes": "made_units"}


def flag_of(field: str) -> str:
    """Returns the flag that sets a field of the settings or of `ModelConfig`."""
    return "--" + _FLAGS.get(field, field).replace("_", "-")
