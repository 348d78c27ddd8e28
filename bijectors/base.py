"""The base class of this package's bijectors: one method for each direction."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.cache import UncachedBijector

__all__ = ["FlowBijector", "forward_and_log_det", "inverse_and_log_det"]

# `tfp.bijectors.Invert(...)` returns an instance of this base class if its bijector is not a
# composite tensor, and none of the bijectors here is one.
_Invert = tfp.bijectors.Invert.__mro__[1]


class FlowBijector(UncachedBijector):
    """A TFP bijector defined by `_forward_and_log_det` and `_inverse_and_log_det`.

    Wherever the distinction makes sense, `forward` maps noise `eps` to latents `z`. Both methods
    return the mapped value and the log-determinant in nats, summed over the minimal event
    dimensions of the bijector. TFP's `forward`, `inverse` and `*_log_det_jacobian` are derived from
    them. One call of `inverse_and_log_det` does half the work of `inverse` followed by
    `inverse_log_det_jacobian`.

    Example:
      >>> import tensorflow as tf
      >>> from bijectors import FlowBijector
      >>> class Double(FlowBijector):
      ...     def __init__(self):
      ...         super().__init__(forward_min_event_ndims=0, name="double")
      ...     def _forward_and_log_det(self, x):
      ...         return 2.0 * x, tf.math.log(2.0) * tf.ones_like(x)
      ...     def _inverse_and_log_det(self, y):
      ...         return y / 2.0, -tf.math.log(2.0) * tf.ones_like(y)
      >>> y, log_det = Double().forward_and_log_det([1.0, 3.0])
      >>> y.numpy().tolist(), log_det.numpy().round(4).tolist()
      ([2.0, 6.0], [0.6930999755859375, 0.6930999755859375])
      >>> float(Double().inverse(6.0))
      3.0
    """

    def _forward_and_log_det(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        raise NotImplementedError(f"{type(self).__name__} does not define the forward direction")

    def _inverse_and_log_det(self, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        raise NotImplementedError(f"{type(self).__name__} does not define the inverse direction")

    def forward_and_log_det(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns `(y, log|dy/dx|)`, in nats and summed over the minimal event dimensions."""
        return self._forward_and_log_det(self._cast(x))

    def inverse_and_log_det(self, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns `(x, log|dx/dy|)`, in nats and summed over the minimal event dimensions."""
        return self._inverse_and_log_det(self._cast(y))

    def forward(self, x: Any, name: str = "forward", **kwargs: Any) -> tf.Tensor:
        return super().forward(self._cast(x), name=name, **kwargs)

    def inverse(self, y: Any, name: str = "inverse", **kwargs: Any) -> tf.Tensor:
        return super().inverse(self._cast(y), name=name, **kwargs)

    def forward_log_det_jacobian(self, x: Any, *args: Any, **kwargs: Any) -> tf.Tensor:
        return super().forward_log_det_jacobian(self._cast(x), *args, **kwargs)

    def inverse_log_det_jacobian(self, y: Any, *args: Any, **kwargs: Any) -> tf.Tensor:
        return super().inverse_log_det_jacobian(self._cast(y), *args, **kwargs)

    def _cast(self, values: Any) -> tf.Tensor:
        """Converts `values` to the bijector's dtype; without one, integers become `floatx`.

        Raises:
          ValueError: The values are neither real numbers nor integers.
        """
        dtype = None if self.dtype is None else tf.as_dtype(self.dtype)
        if not tf.is_tensor(values):
            values = tf.convert_to_tensor(values, dtype_hint=dtype)
        if not (values.dtype.is_floating or values.dtype.is_integer):
            raise ValueError(
                f"expected real numbers for {self.name}; got values of dtype {values.dtype.name}"
            )
        if dtype is None:
            dtype = tf.as_dtype(keras.config.floatx()) if values.dtype.is_integer else values.dtype
        return tf.cast(values, dtype)

    def _forward(self, x: tf.Tensor) -> tf.Tensor:
        return self._forward_and_log_det(x)[0]

    def _inverse(self, y: tf.Tensor) -> tf.Tensor:
        return self._inverse_and_log_det(y)[0]

    def _forward_log_det_jacobian(self, x: tf.Tensor) -> tf.Tensor:
        return self._forward_and_log_det(x)[1]

    def _inverse_log_det_jacobian(self, y: tf.Tensor) -> tf.Tensor:
        return self._inverse_and_log_det(y)[1]


def forward_and_log_det(
    bijector: tfp.bijectors.Bijector, x: tf.Tensor, event_ndims: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns `(y, log|dy/dx|)` of any TFP bijector, summed over `event_ndims` dimensions.

    A `FlowBijector`, or TFP's `Invert` of one, is evaluated only once.

    Example:
      >>> import tensorflow_probability as tfp
      >>> from bijectors import forward_and_log_det
      >>> x = tf.constant([0.0, 1.0])
      >>> y, log_det = forward_and_log_det(tfp.bijectors.Exp(), x, event_ndims=1)
      >>> y.numpy().round(3).tolist(), float(log_det)
      ([1.0, 2.7179999351501465], 1.0)
    """
    if isinstance(bijector, _Invert):
        return inverse_and_log_det(bijector.bijector, x, event_ndims)
    if isinstance(bijector, FlowBijector):
        y, log_det = bijector.forward_and_log_det(x)
        return y, _sum_trailing(log_det, event_ndims - bijector.forward_min_event_ndims)
    x = tf.convert_to_tensor(x, dtype_hint=bijector.dtype)
    y, log_det = bijector.forward(x), bijector.forward_log_det_jacobian(x, event_ndims=event_ndims)
    return y, _for_every_event(log_det, y, bijector.forward_event_ndims(event_ndims))


def inverse_and_log_det(
    bijector: tfp.bijectors.Bijector, y: tf.Tensor, event_ndims: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns `(x, log|dx/dy|)` of any TFP bijector, summed over `event_ndims` dimensions.

    Example:
      >>> from bijectors import Affine, inverse_and_log_det
      >>> y = tf.constant([1.0, 5.0])
      >>> x, log_det = inverse_and_log_det(Affine(a=1.0, b=2.0), y, event_ndims=1)
      >>> x.numpy().tolist(), round(float(log_det), 4)
      ([0.0, 2.0], -1.3863)
    """
    if isinstance(bijector, _Invert):
        return forward_and_log_det(bijector.bijector, y, event_ndims)
    if isinstance(bijector, FlowBijector):
        x, log_det = bijector.inverse_and_log_det(y)
        return x, _sum_trailing(log_det, event_ndims - bijector.inverse_min_event_ndims)
    y = tf.convert_to_tensor(y, dtype_hint=bijector.dtype)
    x, log_det = bijector.inverse(y), bijector.inverse_log_det_jacobian(y, event_ndims=event_ndims)
    return x, _for_every_event(log_det, x, bijector.inverse_event_ndims(event_ndims))


def _for_every_event(log_det: tf.Tensor, values: tf.Tensor, event_ndims: int) -> tf.Tensor:
    """Adds dimensions along which a log-det is constant: TFP omits them, this package does not."""
    batch = slice(None, -event_ndims or None)
    zeros = tf.zeros(tf.shape(values)[batch], log_det.dtype)
    return log_det + tf.ensure_shape(zeros, values.shape[batch])


def _sum_trailing(log_det: tf.Tensor, ndims: int) -> tf.Tensor:
    if ndims < 0:
        raise ValueError(
            f"expected event_ndims of at least the bijector's minimum; got {-ndims} too few"
        )
    return tf.reduce_sum(log_det, axis=list(range(-ndims, 0))) if ndims else log_det
