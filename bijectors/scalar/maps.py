"""What a scalar transform is to a flow: an entry of `bijectors.tables.SCALAR_MAPS`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import tensorflow as tf
import tensorflow_probability as tfp

__all__ = ["ScalarMap"]


@dataclasses.dataclass(frozen=True)
class ScalarMap:
    """One scalar transform `eps -> z`.

    Its bijector maps noise to latent (`forward`), and evaluating a density (`inverse`) is its cheap
    direction.

    Attributes:
      num_params: how many raw parameters one number takes.
      output_scale: `[num_params]`, what the conditioner multiplies its raw outputs by, so that a
        flow starts close to affine.
      from_unconstrained: raw parameters `[..., num_params]` to a bijector of `[...]`, noise to
        latent; `raw = 0` is the identity, or, for a mixture of several components, near a line.
    """

    num_params: int
    output_scale: tuple[float, ...]
    from_unconstrained: Callable[[tf.Tensor], tfp.bijectors.Bijector]

    def __post_init__(self) -> None:
        if len(self.output_scale) != self.num_params:
            raise ValueError(
                f"expected {self.num_params} output scales; got {len(self.output_scale)}"
            )
