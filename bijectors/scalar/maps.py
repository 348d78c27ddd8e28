"""`ScalarMap`, the type of the entries of `bijectors.SCALAR_MAPS`."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.scalar.parameters import unconstrained

__all__ = ["ScalarMap", "inverted"]


@dataclasses.dataclass(frozen=True)
class ScalarMap:
    """A scalar map `eps -> z` with its parameters.

    `forward` of its bijector maps noise to latent. `inverse`, which evaluates densities, is the
    cheap direction.

    Attributes:
      num_params: Number of raw parameters per number.
      output_scale: Factors `[num_params]` by which a network multiplies its raw outputs, so that a
        flow starts close to affine.
      from_unconstrained: Makes the bijector of `[...]`, from noise to latent, of raw parameters
        `[..., num_params]`, float32 or float64; others are refused. `raw = 0` is the identity or,
        for a mixture of several components, close to a line.

    Example:
      >>> import tensorflow as tf
      >>> import tensorflow_probability as tfp
      >>> from bijectors import ScalarMap
      >>> shift = ScalarMap(
      ...     num_params=1,
      ...     output_scale=(1.0,),
      ...     from_unconstrained=lambda raw: tfp.bijectors.Shift(raw[..., 0]),
      ... )
      >>> float(shift.from_unconstrained(tf.constant([0.5])).forward(1.0))
      1.5
    """

    num_params: int
    output_scale: tuple[float, ...]
    from_unconstrained: Callable[[tf.Tensor], tfp.bijectors.Bijector]

    def __post_init__(self) -> None:
        if len(self.output_scale) != self.num_params:
            raise ValueError(
                f"expected {self.num_params} output scales; got {len(self.output_scale)}"
            )
        checked = functools.partial(_checked, self.from_unconstrained, self.num_params)
        object.__setattr__(self, "from_unconstrained", checked)


def inverted(
    from_unconstrained: Callable[[tf.Tensor], tfp.bijectors.Bijector],
) -> Callable[[tf.Tensor], tfp.bijectors.Bijector]:
    """The `from_unconstrained` of a map whose formula is that from latent to noise."""
    return functools.partial(_inverted, from_unconstrained)


# Functions of this module, and not of another function, so that a bijector can be pickled.
def _checked(
    from_unconstrained: Callable[[tf.Tensor], tfp.bijectors.Bijector], num_params: int, raw: Any
) -> tfp.bijectors.Bijector:
    return from_unconstrained(unconstrained(raw, num_params))


def _inverted(
    from_unconstrained: Callable[[tf.Tensor], tfp.bijectors.Bijector], raw: tf.Tensor
) -> tfp.bijectors.Bijector:
    return tfp.bijectors.Invert(from_unconstrained(raw))
