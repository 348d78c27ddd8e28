"""The base of this package's layers: a dtype that follows `keras.config.set_floatx`."""

from __future__ import annotations

import keras

__all__ = ["Layer"]

if keras.backend.backend() != "tensorflow":  # By Keras' own file of settings, say.
    raise ImportError(
        f"tf_latentflow needs Keras with TensorFlow; got the backend {keras.backend.backend()}: "
        "set KERAS_BACKEND to tensorflow"
    )


class Layer(keras.layers.Layer):
    """A Keras layer whose dtype is `keras.config.floatx()` at the time when it is made.

    Keras itself keeps the dtype policy that the process used first, whatever `set_floatx` says.
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name, dtype=keras.config.floatx())
