"""A model with the weights that a bundle has trained."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from tf_latentflow import ModelConfig, build_model
from train.support.errors import UserError

__all__ = ["model_of"]


def model_of(config: ModelConfig, values: Sequence[np.ndarray]) -> keras.Model:
    """Returns the model of a configuration with the values of all its variables.

    Raises:
      UserError: If they are those of another version of the model.
    """
    model = build_model(config)
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    found = [tuple(value.shape) for value in values]
    if found != [tuple(variable.shape) for variable in variables]:
        raise UserError(
            "the result holds the weights of another version of the model: "
            "import it with the version that exported the bundle"
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return model
