"""Finds trained models: the folder of a run, the folder of a pretrained model, or a name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from tf_latentflow import ModelConfig
from tf_latentflow.pretrained.errors import PretrainedError
from tf_latentflow.pretrained.folder import Pretrained
from tf_latentflow.pretrained.names import find_pretrained, pretrained_table
from train.engine.workdir import Workdir
from train.support.digests import sha256_of_file
from train.support.errors import UserError
from train.support.reading import expanded

__all__ = [
    "ModelSource",
    "OptionalModelSource",
    "Source",
    "config_of",
    "digest_of",
    "find_model",
    "find_usable",
    "known_models",
]

_FLAG = tyro.conf.arg(
    metavar="MODEL",
    help="Folder of a finished run, or name or folder of a pretrained model; python -m "
    "train.sample --list shows the names.",
)
ModelSource = Annotated[Path, _FLAG]
"""A trained model, as a flag."""
OptionalModelSource = Annotated[Path | None, _FLAG]
"""A trained model, or none."""

Source = Workdir | Pretrained


def find_model(source: str | Path) -> Source:
    """Returns the run or pretrained model with a given path or name; reads no weights.

    Raises:
      UserError: There is none, or it is a run without its configuration, or a pretrained one is
        damaged or has no vocabulary.
    """
    workdir = Workdir(expanded(source))
    if workdir.config_file.exists():
        return workdir
    if workdir.model_file.exists():
        raise UserError(
            f"{source} is a run without its file {workdir.config_file.name}, which describes the "
            "model: restore it, or train again in a new --workdir"
        )
    try:
        return find_usable(source)
    except PretrainedError as error:
        if workdir.path.is_dir():
            raise UserError(f"{source} is neither a run nor a pretrained model: {error}") from None
        if not workdir.path.exists() and workdir.path.name != str(source):
            raise UserError(f"{source} does not exist, as a run or otherwise") from None
        raise UserError(str(error)) from None


def find_usable(source: str | Path) -> Pretrained:
    """Returns the pretrained model with a given path or name, which every program can use.

    Raises:
      PretrainedError: There is none, or it is damaged.
      UserError: It is a model of text without a vocabulary.
    """
    found = find_pretrained(source)
    if found.model.is_text and found.model.vocabulary is None:
        raise UserError(
            "expected a model of text whose configuration has a vocabulary, the characters it "
            f"knows; got {found.folder}, which has none: set ModelConfig.vocabulary, and save the "
            "model again"
        )
    return found


def known_models() -> str:
    """Returns the table of the pretrained models in this installation.

    Raises:
      UserError: One of them is damaged.
    """
    try:
        return pretrained_table()
    except PretrainedError as error:
        raise UserError(str(error)) from None


def config_of(source: Source) -> ModelConfig:
    """Returns the configuration of a model that was found.

    Raises:
      UserError: Its run has not finished or is damaged.
    """
    if not isinstance(source, Workdir):
        return source.model
    if not source.model_file.exists():
        raise UserError(f"the run in {source.path} has not finished")
    try:
        return ModelConfig.from_dict(source.read_config()["model"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"cannot use {source.config_file} ({error}): use the program that wrote it, or train "
            "again"
        ) from None


def digest_of(source: Source) -> str:
    """Returns the digest of the file with a model's weights."""
    if isinstance(source, Workdir):
        return sha256_of_file(source.model_file)
    return source.weights_sha256
