"""A checksum of a model's weights."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np

from train.support.digests import sha256_of

__all__ = ["weights_sha256"]


def weights_sha256(model: keras.Model) -> str:
    """Returns one checksum of all trainable weights, in the order in which the model made them.

    Names have no part in it: Keras numbers them through a whole process.
    """
    return sha256_of(_content(model))


def _content(model: keras.Model) -> Iterator[bytes]:
    for variable in model.trainable_variables:
        value = np.ascontiguousarray(variable.numpy())
        yield f"{value.shape} {value.dtype.str}\n".encode()
        yield value.tobytes()
