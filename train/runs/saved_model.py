"""The model of a finished run, as its folder keeps it, and the checksum of its weights."""

from __future__ import annotations

import keras
import numpy as np

from tf_latentflow import LatentFlow, LSTMLanguageModel
from train.engine.workdir import Workdir
from train.support.digests import sha256_of
from train.support.errors import UserError
from train.support.files import whole_file

__all__ = ["load_model", "save_model", "weights_sha256"]

# Keras reads back what is registered, and a class registers itself when it is made.
_CLASSES = {kind.__name__: kind for kind in (LatentFlow, LSTMLanguageModel)}


def save_model(model: keras.Model, workdir: Workdir) -> None:
    """Writes `model.keras`, whole or not at all."""
    with whole_file(workdir.model_file) as temporary:
        model.save(temporary)


def load_model(workdir: Workdir) -> LatentFlow | LSTMLanguageModel:
    """Returns the model of a finished run, with its best weights.

    Raises:
      UserError: If the model's file is damaged.
    """
    file = workdir.model_file
    try:
        return keras.saving.load_model(file, custom_objects=_CLASSES)
    except Exception as error:  # Damaged bytes show as almost anything: there is no list of it.
        raise UserError(
            f"cannot read {file} ({type(error).__name__}): delete it and run the training "
            "with the same flags, which writes it again"
        ) from None


def weights_sha256(model: keras.Model) -> str:
    """Returns one checksum of all trainable weights, in the order in which the model made them.

    Names have no part in it: Keras numbers them through a whole process.
    """
    values = [np.ascontiguousarray(variable.numpy()) for variable in model.trainable_variables]
    return sha256_of(
        f"{value.shape} {value.dtype.str}\n".encode() + value.tobytes() for value in values
    )
