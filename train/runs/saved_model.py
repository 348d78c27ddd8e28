"""Loading a trained model from a run or a pretrained folder, and the checksum of its weights."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np

from tf_latentflow import LatentFlow, LSTMLanguageModel, ModelConfig, build_model
from tf_latentflow.build import build_from, load_pretrained
from tf_latentflow.pretrained.errors import PretrainedError
from train.engine.workdir import Workdir
from train.settings.config import TrainConfig
from train.settings.source import Source, config_of, find_model
from train.support.digests import sha256_of
from train.support.errors import UserError
from train.support.files import whole_file

__all__ = ["initial_model", "load_model", "save_model", "weights_sha256"]

# Keras only loads registered classes, and a class is registered when it is imported.
_CLASSES = {kind.__name__: kind for kind in (LatentFlow, LSTMLanguageModel)}

_CURE = "restore it, or delete it and repeat the training command, which writes it again"


def save_model(model: keras.Model, workdir: Workdir) -> None:
    """Writes `model.keras` in one step."""
    with whole_file(workdir.model_file) as temporary:
        model.save(temporary)


def load_model(source: Source) -> LatentFlow | LSTMLanguageModel:
    """Returns the model of a finished run, with its best weights, or a pretrained model.

    Raises:
      UserError: The model's file is damaged or is that of another run.
    """
    if not isinstance(source, Workdir):
        try:
            return load_pretrained(source)
        except PretrainedError as error:
            raise UserError(str(error)) from None
    file = source.model_file
    try:
        model = keras.saving.load_model(file, custom_objects=_CLASSES)
    except Exception as error:  # Damaged files can cause any error.
        raise UserError(f"cannot read {file} ({type(error).__name__}): {_CURE}") from None
    if model.config != config_of(source):
        raise UserError(f"{file} is not the model that {source.config_file} describes: {_CURE}")
    if _recorded_sha256(source) not in (None, weights_sha256(model)):
        raise UserError(f"{file} is not the model that {source.results_file} is about: {_CURE}")
    return model


def _recorded_sha256(workdir: Workdir) -> str | None:
    """The checksum of the weights that were tested; None if it is not known."""
    try:
        return workdir.read_results()["train"].get("weights_sha256")
    except (FileNotFoundError, UserError):  # Not yet tested, or damaged.
        return None


def weights_sha256(model: keras.Model) -> str:
    """Returns a checksum of all trainable weights, in the order of their creation.

    Names are not included, because Keras numbers them throughout a process.
    """
    values = [np.ascontiguousarray(variable.numpy()) for variable in model.trainable_variables]
    return sha256_of(
        f"{value.shape} {value.dtype.str}\n".encode() + value.tobytes() for value in values
    )


def initial_model(
    config: TrainConfig, model_config: ModelConfig
) -> Callable[[], LatentFlow | LSTMLanguageModel]:
    """Returns a function that builds the model of a run before its first step.

    Args:
      config: Settings of the run, which may name a model to start from.
      model_config: Configuration of the run's model.

    Raises:
      UserError: The model to start from cannot be read.
    """
    if config.init_from is None:
        return lambda: build_model(model_config)
    start = load_model(find_model(config.init_from))
    arrays = [(variable.path, variable.numpy()) for variable in start.variables]
    return lambda: build_from(model_config, start.config, arrays)
