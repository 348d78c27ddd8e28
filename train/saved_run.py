"""A finished run, read back from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from train.errors import UserError
from train.quiet import import_tensorflow_quietly
from train.workdir import Workdir

if TYPE_CHECKING:
    import keras

    from tf_latentflow.vocabulary import Vocabulary

__all__ = ["load_model", "read_settings"]


def read_settings(path: Path) -> dict[str, Any]:
    """Returns the settings of a finished run, from its config.json; needs no TensorFlow.

    Raises:
      UserError: If there is no run, or it has not finished.
    """
    workdir = Workdir(path)
    settings = workdir.read_config()
    if not workdir.model_file.exists():
        raise UserError(
            f"the run in {path} has not finished: train.char_lm with the same flags goes on with it"
        )
    return settings


def load_model(path: Path) -> tuple[keras.Model, Vocabulary]:
    """Returns the model of a finished run, with its best weights, and its vocabulary.

    Raises:
      UserError: If the model's file is damaged.
    """
    import_tensorflow_quietly()
    import keras

    # Its classes must be known before they can be read back.
    import tf_latentflow  # noqa: F401
    from tf_latentflow.vocabulary import Vocabulary

    file = Workdir(path).model_file
    try:
        model = keras.saving.load_model(file)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"cannot read {file} ({type(error).__name__}): delete it and run train.char_lm "
            "with the same flags, which writes it again"
        ) from None
    return model, Vocabulary(model.config.vocabulary)
