"""`ScalarBijector`, the base class of increasing maps of one number."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.base import FlowBijector
from bijectors.scalar.parameters import convert_parameters, known_value

__all__ = ["ScalarBijector", "positive", "real"]


class ScalarBijector(FlowBijector):
    """An increasing map, elementwise, whose parameters are attributes of its own.

    A subclass defines the formula in both directions, and `_parameter_properties`.

    Args:
      parameters: The parameters by name; see `convert_parameters`.
      validate_args: See TFP's `Bijector`.
      name: Name of the bijector.
      **options: Other arguments that the subclass was made with, which a copy gets too.

    Raises:
      ValueError: A parameter is neither float32 nor float64, or their dtypes differ.
    """

    b: Any
    # b', if made by `from_unconstrained`.
    _log_b: tf.Tensor | None = None

    def __init__(
        self, parameters: dict[str, Any], validate_args: bool, name: str, **options: Any
    ) -> None:
        values = convert_parameters(**parameters)
        for parameter, value in values.items():
            setattr(self, parameter, value)
        super().__init__(
            dtype=next(iter(values.values())).dtype,
            forward_min_event_ndims=0,
            validate_args=validate_args,
            parameters={**values, **options, "validate_args": validate_args, "name": name},
            name=name,
        )

    @classmethod
    def _is_increasing(cls) -> bool:
        return True

    def _log_slope(self) -> tf.Tensor:
        """`log(b)` of a map with a parameter b."""
        return tf.math.log(self.b) if self._log_b is None else self._log_b

    def _check_positive(self, *names: str) -> None:
        """Raises ValueError if a value of these parameters is known, and is not positive."""
        for name in names:
            value = known_value(getattr(self, name))
            if value is not None and not (value > 0).all():
                raise ValueError(f"expected {name} > 0; got {value.min()}")


def real(event_ndims: int = 0) -> tfp.util.ParameterProperties:
    """What TFP asks about a parameter: here, one that may be any number."""
    return tfp.util.ParameterProperties(event_ndims=event_ndims)


def positive(event_ndims: int = 0) -> tfp.util.ParameterProperties:
    """What TFP asks about a parameter that is above 0."""
    return tfp.util.ParameterProperties(
        event_ndims=event_ndims, default_constraining_bijector_fn=lambda: tfp.bijectors.Exp()
    )
