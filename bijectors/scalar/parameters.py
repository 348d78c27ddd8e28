"""How the scalar maps take their parameters: one floating dtype, tensors or variables."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

__all__ = [
    "convert_parameters",
    "convert_unconstrained",
    "log_det_like",
    "unstack_unconstrained",
]

_DTYPES = (tf.float32, tf.float64)


def _check_dtype(dtype: tf.DType, what: str) -> None:
    if dtype not in _DTYPES:
        raise ValueError(f"expected {what} of dtype float32 or float64; got {dtype.name}")


def convert_parameters(**values: Any) -> dict[str, Any]:
    """Brings keyword arguments to one dtype, float32 or float64.

    Python numbers take the dtype of the others (float32 if there is none). A `tf.Variable` is kept
    as it is, so that the bijector tracks it and follows its updates.

    Raises:
      ValueError: a parameter is neither float32 nor float64, or two parameters differ.
    """
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
        if isinstance(value, tf.Variable)
        else tf.convert_to_tensor(value, dtype=dtype, name=name)
        for name, value in values.items()
    }


def convert_unconstrained(raw: Any, num_params: int) -> tf.Tensor:
    """`raw` as a tensor `[..., num_params]`, float32 or float64.

    Raises:
      ValueError: the last dimension is not `num_params`, or the dtype is another one.
    """
    raw = tf.convert_to_tensor(raw)
    _check_dtype(raw.dtype, "unconstrained parameters")
    if raw.shape.rank == 0 or (raw.shape.rank is not None and raw.shape[-1] != num_params):
        raise ValueError(
            f"expected unconstrained parameters of shape [..., {num_params}]; got {raw.shape}"
        )
    return raw


def unstack_unconstrained(raw: Any, num_params: int) -> list[tf.Tensor]:
    """Splits `raw` `[..., num_params]` into `num_params` tensors `[...]`.

    Raises:
      ValueError: the last dimension is not `num_params`, or `raw` is neither float32 nor float64.
    """
    return tf.unstack(convert_unconstrained(raw, num_params), num=num_params, axis=-1)


def log_det_like(log_det: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    """Broadcasts an elementwise log-det to the shape of the mapped `value`.

    The two differ where a parameter that shifts `value` has more dimensions than the others.
    """
    if log_det.shape.is_fully_defined() and log_det.shape == value.shape:
        return log_det
    return tf.broadcast_to(log_det, tf.shape(value))
