"""Affine: the linear scalar map."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.base import FlowBijector
from bijectors.masks import bounded
from bijectors.scalar.maps import ScalarMap, inverted
from bijectors.scalar.parameters import (
    MAX_LOG_SLOPE,
    convert_parameters,
    from_unconstrained,
    known_value,
    log_det_like,
)

__all__ = ["AFFINE", "Affine"]


class Affine(FlowBijector):
    """`y = a + b*x` with `b > 0`, elementwise; the log-det is `log(b)` nats per element.

    Example:
      >>> from bijectors import Affine
      >>> y, log_det = Affine(a=1.0, b=2.0).forward_and_log_det([0.0, 3.0])
      >>> y.numpy().tolist(), log_det.numpy().round(4).tolist()
      ([1.0, 7.0], [0.6930999755859375, 0.6930999755859375])
    """

    def __init__(self, a: Any, b: Any, validate_args: bool = False, name: str = "affine") -> None:
        """Args: a, b, float32 or float64, of shapes that broadcast with each other and x.

        Raises:
          ValueError: A parameter has another dtype; or, with `validate_args`, `b` is not positive
            and its value is already known.
        """
        values = convert_parameters(a=a, b=b)
        self.a, self.b = values.values()
        # b', if made by `from_unconstrained`.
        self._log_b: tf.Tensor | None = None
        super().__init__(
            dtype=values["a"].dtype,
            forward_min_event_ndims=0,
            validate_args=validate_args,
            parameters={**values, "validate_args": validate_args, "name": name},
            name=name,
        )
        static_b = known_value(self.b) if validate_args else None
        if static_b is not None and not (static_b > 0).all():
            raise ValueError(f"expected b > 0; got {static_b.min()}")

    @classmethod
    def from_unconstrained(cls, raw: Any) -> Affine:
        """The map for any two real numbers `raw[..., 0:2]` = `a, b'`, with `b = exp(b')`.

        `raw = 0` is the identity. `b'` is clipped to -5 .. 5, so that no context makes the slope
        of a few layers infinite. If `raw` is a variable, it is tracked, and the map follows its
        updates.

        Raises:
          ValueError: `raw` is not `[..., 2]`, or neither float32 nor float64.
        """

        def constrain(raw: tf.Tensor) -> tuple[tf.Tensor, ...]:
            a, log_b = tf.unstack(raw, num=2, axis=-1)
            log_b = bounded(log_b, MAX_LOG_SLOPE)
            return a, tf.exp(log_b), log_b

        a, b, log_b = from_unconstrained(raw, 2, constrain)
        bijector = cls(a=a, b=b)
        bijector._log_b = log_b
        return bijector

    @classmethod
    def _is_increasing(cls) -> bool:
        return True

    @classmethod
    def _parameter_properties(cls, dtype: tf.DType | None) -> dict[str, Any]:
        return {
            "a": tfp.util.ParameterProperties(),
            "b": tfp.util.ParameterProperties(
                default_constraining_bijector_fn=lambda: tfp.bijectors.Exp()
            ),
        }

    def _log_slope(self) -> tf.Tensor:
        return tf.math.log(self.b) if self._log_b is None else self._log_b

    def _forward_and_log_det(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        y = self.a + self.b * x
        return y, log_det_like(self._log_slope(), y)

    def _inverse_and_log_det(self, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x = (y - self.a) / self.b
        return x, log_det_like(-self._log_slope(), x)


AFFINE = ScalarMap(
    num_params=2,
    output_scale=(1.0, 0.4),
    from_unconstrained=inverted(Affine.from_unconstrained),
)
