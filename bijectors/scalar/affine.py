"""Affine: the linear scalar map."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from bijectors.masks import bounded
from bijectors.scalar.base import ScalarBijector, positive, real
from bijectors.scalar.maps import ScalarMap, inverted
from bijectors.scalar.parameters import MAX_LOG_SLOPE, from_unconstrained, log_det_like

__all__ = ["AFFINE", "Affine"]


class Affine(ScalarBijector):
    """`y = a + b*x` with `b > 0`, elementwise; the log-det is `log(b)` nats per element.

    Example:
      >>> from bijectors import Affine
      >>> y, log_det = Affine(a=1.0, b=2.0).forward_and_log_det([0.0, 3.0])
      >>> y.numpy().tolist(), log_det.numpy().round(4).tolist()
      ([1.0, 7.0], [0.6930999755859375, 0.6930999755859375])
    """

    a: Any

    def __init__(self, a: Any, b: Any, validate_args: bool = False, name: str = "affine") -> None:
        """Args: a, b, float32 or float64, of shapes that broadcast with each other and x.

        Raises:
          ValueError: A parameter has another dtype; or, with `validate_args`, `b` is not positive
            and its value is already known.
        """
        super().__init__({"a": a, "b": b}, validate_args, name)
        if validate_args:
            self._check_positive("b")

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
    def _parameter_properties(cls, dtype: tf.DType | None) -> dict[str, Any]:
        return {"a": real(), "b": positive()}

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
