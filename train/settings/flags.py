"""Flags of a training for what is trained, and on which data; `LoopSettings` has those for how."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from bijectors.tables import HIDDEN_STRUCTURES, SCALAR_MAPS, TIME_STRUCTURES, Table, name_of
from tf_latentflow import MODEL_NAMES, PRESETS, ModelConfig
from tf_latentflow.config.choices import CONDITIONERS, EMITTERS, INFERENCE_NETWORKS
from train.support.ranges import flag_of

__all__ = [
    "FLAGS_OF_MODEL",
    "ModelName",
    "ModelSettings",
    "RunSettings",
    "WorkerSettings",
    "model_flag_of",
]

_FLOWS = [name for name in MODEL_NAMES if ModelConfig.from_name(name).is_flow]
_BASELINES = [name for name in MODEL_NAMES if name not in _FLOWS]
_MODEL_HELP = (
    f"Name of the model: {', '.join(_FLOWS[:-1])} or {_FLOWS[-1]}, latent flows;\n"
    f"or {' or '.join(_BASELINES)}, the discrete baseline.\n"
    "chords is for music only."
)
ModelName = Annotated[str, tyro.conf.arg(help=_MODEL_HELP)]
"""The name of a row, as a flag."""


def _choice(what: str, table: Table, remark: str = "") -> Any:
    """The help of a flag that names an entry of a table; K stands for a size."""
    with_size = {name_of(entry) for entry in table.numbered}
    names = [f"{name}:K" if name in with_size else name for name in table]
    listed = f"{what}: {', '.join(names[:-1])} or {names[-1]}. {remark}".rstrip()
    return tyro.conf.arg(help=f"{listed}\nNone: from --model and --preset.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunSettings:
    """What is trained, on what, and where."""

    # The docstrings are the help, which keeps the line breaks before an indent or a mark.

    model: ModelName = "af-af"
    dataset: str
    """Name of a dataset, or a path."""
    data_dir: Path | None = None
    """Folder with the files of the dataset. None: downloaded once, to a cache."""
    preset: Literal[*PRESETS] = "small"
    """Sizes and defaults: tiny (seconds, for tests), small (minutes), paper (as published)."""
    workdir: Path | None = None
    """Folder of the run. None: runs/MODEL-DATASET-PRESET-SEED."""
    init_from: str | None = None
    """Trained model to fine-tune, which also determines the architecture: a pretrained model by
    name or folder, or the folder of a run. New characters get new weights. None: train from
    scratch."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """On which machines. It is no part of a run, which may go on with others."""

    workers: str | None = None
    """Addresses of all processes that train together, HOST:PORT,HOST:PORT,... The first is the
    chief, which also needs the next port. None: as in TF_CONFIG, or one process alone."""
    worker_index: int | None = None
    """Number of this process in --workers [from 0, the chief]. None: as in TF_CONFIG."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """What of the model is not as its name and the preset say."""

    scalar: Annotated[
        str | None, _choice("Scalar map from noise to one dimension of z", SCALAR_MAPS)
    ] = None
    hidden: Annotated[str | None, _choice("Structure within a step", HIDDEN_STRUCTURES)] = None
    time: Annotated[str | None, _choice("Structure across steps", TIME_STRUCTURES)] = None
    inference: Annotated[
        str | None,
        _choice("Inference network, from x to q(z|x)", INFERENCE_NETWORKS, "local reads one step."),
    ] = None
    emitter: Annotated[
        str | None,
        _choice(
            "Emitter (decoder), from z to p(x|z)",
            EMITTERS,
            "codebook is Bayes' rule, and needs --inference codebook.",
        ),
    ] = None
    emission: str | None = None
    """What is observed at a step: categorical for text; for music, bernoulli (independent notes) or
    made (each note given those above it). None: from --model and --preset."""
    conditioner: Annotated[
        str | None, _choice("What summarises other steps for the prior", CONDITIONERS)
    ] = None
    conditioner_input: str | None = None
    """What --conditioner reads from each step: latents, or symbols (their probabilities given z[t]
    under the codebook). symbols needs --inference codebook, and --time multiscale, or --time af
    with one time layer. None: from --model and --preset."""

    latent_size: int | None = None
    """Dimensions H of a step's latent vector. None: from --model and --preset."""
    hidden_size: int | None = None
    """Units of every LSTM, convolution, attention or local layer, and of the embedding.
    None: from --model and --preset."""
    flow_layers: int | None = None
    """Flow layers within a step. None: from --model and --preset."""
    time_layers: int | None = None
    """Flow layers along time, one after the other. None: from --model and --preset."""
    made_units: int | None = None
    """Units of each hidden layer of a flow layer's network. None: from --model and --preset."""
    dropout: float | None = None
    """Dropout in the prior's conditioner (0 for IAF), or in the baseline [0 to 1].
    None: from --model and --preset."""
    posterior_dropout: float | None = None
    """Dropout on the states from which the inference network computes q(z|x) [0 to 1].
    None: from --model and --preset."""
    emitter_dropout: float | None = None
    """Dropout on the states that the emitter reads besides z [0 to 1].
    None: from --model and --preset."""


FLAGS_OF_MODEL = tuple(field.name for field in dataclasses.fields(ModelSettings))

# By which flag a field of `ModelConfig` is set, where it is not the field's name.
_FLAGS = {"name": "model", "made_sizes": "made_units"}


def model_flag_of(field: str) -> str:
    """Returns the flag that sets a field of the settings or of `ModelConfig`."""
    return flag_of(_FLAGS.get(field, field))
