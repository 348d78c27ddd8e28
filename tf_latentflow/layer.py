"""The base class of this package's layers, whose dtype follows `keras.config.set_floatx`."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from typing import Any, Self

import keras
import tensorflow as tf

from bijectors import ExecutionOwner
from bijectors.checkpoints import SavesLists
from tf_latentflow.config import ModelConfig

__all__ = ["Layer", "floatx_of", "usable_floatx"]

if keras.backend.backend() != "tensorflow":  # By Keras' own file of settings, say.
    raise ImportError(
        f"tf_latentflow needs Keras with TensorFlow; got the backend {keras.backend.backend()}: "
        "set KERAS_BACKEND to tensorflow"
    )


@contextlib.contextmanager
def floatx_of(policy: Any) -> Iterator[None]:
    """Sets `floatx` to the dtype of a saved dtype policy for as long as the context lasts.

    Args:
      policy: As a layer's `get_config` has it; None leaves `floatx` as it is.
    """
    before = keras.config.floatx()
    try:
        if policy is not None:
            keras.config.set_floatx(keras.dtype_policies.get(policy).variable_dtype)
        yield
    finally:
        keras.config.set_floatx(before)


class Layer(SavesLists, ExecutionOwner, keras.layers.Layer):
    """A Keras layer with the dtype `keras.config.floatx()` has when the layer is made.

    Keras itself keeps the first dtype policy of the process, whatever `set_floatx` says.

    Every subclass is registered with Keras. Its configuration consists of the arguments it was made
    with, except for functions (the prior's `limit`), which belong to the model.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        keras.saving.register_keras_serializable("tf_latentflow")(cls)

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        layer = super().__new__(cls, *args, **kwargs)
        bound = inspect.signature(cls.__init__).bind(layer, *args, **kwargs)
        # Past Keras, which would track what is in it.
        object.__setattr__(layer, "_made_with", dict(list(bound.arguments.items())[1:]))
        return layer

    def get_config(self) -> dict[str, Any]:
        made_with = {name: _saved(value) for name, value in self._made_with.items()}
        made_with = {name: value for name, value in made_with.items() if not callable(value)}
        return {**super().get_config(), **made_with, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        config = {name: _restored(value) for name, value in config.items()}
        trainable, dtype = config.pop("trainable", True), config.pop("dtype", None)
        with floatx_of(dtype):
            layer = cls(**config)
        layer.trainable = trainable
        return layer

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name, dtype=keras.config.floatx())

    @property
    def symbol_weights(self) -> list[keras.Variable]:
        """The variables whose first axis has an entry for each symbol; a subclass names its own."""
        return []

    def _add_uniform(self, name: str, shape: tuple[int, ...], half_width: float) -> keras.Variable:
        """Adds a weight that starts uniform in `-half_width .. half_width`.

        It has an initialiser of its own: one of Keras gives the same values at every call, so two
        weights of the same shape would start equal.
        """
        uniform = keras.initializers.RandomUniform(-half_width, half_width)
        return self.add_weight(shape, uniform, name=name)

    def _dense(self, input_size: int, units: int, name: str) -> keras.layers.Dense:
        """Returns a linear part for this layer, with its variables; see `_apply`."""
        part = keras.layers.Dense(units, name=name, dtype=self.dtype_policy)
        part.build((None, input_size))
        return part

    def _apply(self, part: keras.layers.Dense, values: tf.Tensor) -> tf.Tensor:
        """A linear part of this layer, computed as its `execution` says."""
        return self.execution.product(values, part.kernel) + part.bias


def _saved(value: Any) -> Any:
    """An argument of a layer as its configuration has it."""
    if isinstance(value, ModelConfig):
        return value.to_dict()
    return keras.saving.serialize_keras_object(value) if isinstance(value, Layer) else value


def _restored(value: Any) -> Any:
    """The argument that `_saved` returned `value` for."""
    if not isinstance(value, dict):
        return value
    if "class_name" in value:
        return keras.saving.deserialize_keras_object(value)
    return ModelConfig.from_dict(value)


def usable_floatx() -> str:
    """Keras' default dtype, for a model: Keras would use the dtype policy of the process's first.

    Raises:
      ValueError: It is neither float32 nor float64.
    """
    floatx = keras.config.floatx()
    if floatx not in ("float32", "float64"):
        raise ValueError(f"expected keras.config.floatx() of float32 or float64; got {floatx}")
    return floatx
