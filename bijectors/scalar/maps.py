"""`ScalarMap`, the type of the entries of `bijectors.SCALAR_MAPS`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import tensorflow as tf
import tensorflow_probability as tfp

__all__ = ["ScalarMap"]


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
        `[..., num_params]`. `raw = 0` is the identity or, for a mixture of several components,
        close to a line.

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
