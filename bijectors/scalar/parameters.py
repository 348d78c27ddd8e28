"""Parameters of scalar maps: tensors or variables, all of one floating-point dtype."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

__all__ = [
    "MAX_LOG_SCALE",
    "MAX_LOG_SLOPE",
    "convert_parameters",
    "from_unconstrained",
    "known_value",
    "log_det_like",
    "unconstrained",
]

# Bounds in `from_unconstrained` on the absolute value of a logarithm. Trained flows stay within
# about 3. Slopes multiply: five layers in a row make a value about exp(25) = 7e10 times as large.
# The loss, which is its square, and the gradient are then well within float32. With a bound of 10
# neither is.
MAX_LOG_SLOPE = 5.0
MAX_LOG_SCALE = 10.0

_DTYPES = (tf.float32, tf.float64)
_VARIABLES = (tf.Variable, tfp.util.DeferredTensor)  # May change after a bijector is made.


def _check_dtype(dtype: tf.DType, what: str) -> None:
    if dtype not in _DTYPES:
        raise ValueError(f"expected {what} of dtype float32 or float64; got {dtype.name}")


def convert_parameters(**values: Any) -> dict[str, Any]:
    """Converts keyword arguments to one dtype, float32 or float64.

    Python numbers take the dtype of the others (float32 if there are none). Variables of TensorFlow
    or Keras, `tfp.util.TransformedVariable` and `tfp.util.DeferredTensor` are not converted, so the
    bijector tracks them and follows their updates.

    Raises:
      ValueError: A parameter is neither float32 nor float64, or the dtypes differ.
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
    """Returns `constrain(raw)`; for a variable, deferred tensors that are recomputed when read.

    Args:
      raw: `[..., num_params]`, float32 or float64; a tensor or a variable.
      num_params: Size of the last dimension.
      constrain: Maps raw parameters to those of a map.

    Raises:
      ValueError: The last dimension is not `num_params`, or the dtype is another one.
    """
    raw = unconstrained(raw, num_params)
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


def unconstrained(raw: Any, num_params: int) -> Any:
    """Returns raw parameters as a tensor, or as they are if they are a variable.

    Raises:
      ValueError: The last dimension is not `num_params`, or they are neither float32 nor float64.
    """
    raw = _of_keras(raw)
    if not isinstance(raw, _VARIABLES):
        raw = tf.convert_to_tensor(raw)
    _check_dtype(tf.as_dtype(raw.dtype), "unconstrained parameters")
    if raw.shape.rank == 0 or (raw.shape.rank is not None and raw.shape[-1] != num_params):
        raise ValueError(
            f"expected unconstrained parameters of shape [..., {num_params}]; got {raw.shape}"
        )
    return raw


def known_value(parameter: Any) -> np.ndarray | None:
    """The current value of a parameter; None while it is being traced into a graph."""
    return tf.get_static_value(tf.convert_to_tensor(parameter))


def _of_keras(value: Any) -> Any:
    """The `tf.Variable` of a Keras variable; anything else unchanged."""
    return value.value if isinstance(value, keras.Variable) else value


def log_det_like(log_det: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    """Broadcasts an elementwise log-det to the shape of the mapped `value`.

    The shapes differ if a parameter that shifts `value` has more dimensions than the others.
    """
    if log_det.shape.is_fully_defined() and log_det.shape == value.shape:
        return log_det
    return tf.broadcast_to(log_det, tf.shape(value))
