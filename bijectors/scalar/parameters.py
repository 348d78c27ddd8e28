"""How the scalar maps take their parameters: one floating dtype, tensors or variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

__all__ = [
    "MAX_LOG_SCALE",
    "bounded_log_scale",
    "convert_parameters",
    "from_unconstrained",
    "known_value",
    "log_det_like",
]

# Logarithms of slopes that `from_unconstrained` of a map makes: a slope of 22,026 and its inverse.
# Trained flows stay within 3 or so; beyond, a few layers in a row would overflow float32.
MAX_LOG_SCALE = 10.0

_DTYPES = (tf.float32, tf.float64)
_VARIABLES = (tf.Variable, tfp.util.DeferredTensor)  # What may change after a bijector is made.


def _check_dtype(dtype: tf.DType, what: str) -> None:
    if dtype not in _DTYPES:
        raise ValueError(f"expected {what} of dtype float32 or float64; got {dtype.name}")


def convert_parameters(**values: Any) -> dict[str, Any]:
    """Brings keyword arguments to one dtype, float32 or float64.

    Python numbers take the dtype of the others (float32 if there is none). A variable of TensorFlow
    or Keras, a `tfp.util.TransformedVariable` and a `tfp.util.DeferredTensor` are kept as they are,
    so that the bijector tracks them and follows their updates.

    Raises:
      ValueError: a parameter is neither float32 nor float64, or two parameters differ.
    """
    values = {name: _of_keras(value) for name, value in values.items()}
    typed = {
        name: tf.as_dtype(value.dtype) for name, value in values.items() if hasattr(value, "dtype")
    }
    for name, dtype in typed.items():
        _check_dtype(dtype, name)
    if len(set(typed.values())) > 1:
        got = ", ".join(f"{name} {dtype.name}" for name, dtype in typed.items())
        raise ValueError(f"expected parameters of one dtype; got {got}")
    dtype = next(iter(typed.values()), tf.float32)
    return {
        name: value
        if isinstance(value, _VARIABLES)
        else tf.convert_to_tensor(value, dtype=dtype, name=name)
        for name, value in values.items()
    }


def from_unconstrained(
    raw: Any, num_params: int, constrain: Callable[[tf.Tensor], Sequence[tf.Tensor]]
) -> Sequence[Any]:
    """`constrain(raw)`: tensors, or of a variable what computes them anew when they are read.

    Args:
      raw: `[..., num_params]`, float32 or float64; a variable as in `convert_parameters`.
      num_params: Size of its last dimension.
      constrain: From raw parameters to those of a map.

    Raises:
      ValueError: the last dimension is not `num_params`, or the dtype is another one.
    """
    raw = _of_keras(raw)
    if not isinstance(raw, _VARIABLES):
        raw = tf.convert_to_tensor(raw)
    _check_dtype(tf.as_dtype(raw.dtype), "unconstrained parameters")
    if raw.shape.rank == 0 or (raw.shape.rank is not None and raw.shape[-1] != num_params):
        raise ValueError(
            f"expected unconstrained parameters of shape [..., {num_params}]; got {raw.shape}"
        )
    if not isinstance(raw, _VARIABLES):
        return constrain(raw)
    return [
        tfp.util.DeferredTensor(
            raw,
            lambda raw, k=k: constrain(tf.convert_to_tensor(raw))[k],
            shape=value.shape,
            name=f"parameter_{k}",
        )
        for k, value in enumerate(constrain(tf.convert_to_tensor(raw)))
    ]


def known_value(parameter: Any) -> np.ndarray | None:
    """The value of a parameter, a variable's present one; None where a graph is made of it."""
    return tf.get_static_value(tf.convert_to_tensor(parameter))


def bounded_log_scale(raw: tf.Tensor) -> tf.Tensor:
    """`raw`, held within `MAX_LOG_SCALE` of 0."""
    return tf.clip_by_value(raw, -MAX_LOG_SCALE, MAX_LOG_SCALE)


def _of_keras(value: Any) -> Any:
    """A variable of Keras as the `tf.Variable` in it; anything else as it is."""
    return value.value if isinstance(value, keras.Variable) else value


def log_det_like(log_det: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    """Broadcasts an elementwise log-det to the shape of the mapped `value`.

    The two differ where a parameter that shifts `value` has more dimensions than the others.
    """
    if log_det.shape.is_fully_defined() and log_det.shape == value.shape:
        return log_det
    return tf.broadcast_to(log_det, tf.shape(value))
