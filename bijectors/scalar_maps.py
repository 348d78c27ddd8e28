"""The table of scalar transforms: what a flow does to one number, given its raw parameters.

A row's bijector maps noise to latent (`forward`), and evaluating a density (`inverse`) is its cheap
direction. Adding a scalar transform to every flow of the package is adding a row.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.affine import Affine
from bijectors.nlsq import NLSq
from bijectors.spline import num_spline_params, rational_quadratic_spline

__all__ = ["SCALAR_MAPS", "ScalarMap", "scalar_map"]

tfb = tfp.bijectors


@dataclasses.dataclass(frozen=True)
class ScalarMap:
    """One scalar transform `eps -> z`.

    Attributes:
      num_params: how many raw parameters one number takes.
      output_scale: `[num_params]`, what the conditioner multiplies its raw outputs by, so that a
        flow starts close to affine.
      from_unconstrained: raw parameters `[..., num_params]` to a bijector of `[...]`, noise to
        latent; `raw = 0` is the identity.
      formula: the inverse, latent to noise, as text.
    """

    num_params: int
    output_scale: tuple[float, ...]
    from_unconstrained: Callable[[tf.Tensor], tfb.Bijector]
    formula: str

    def __post_init__(self) -> None:
        if len(self.output_scale) != self.num_params:
            raise ValueError(
                f"expected {self.num_params} output scales; got {len(self.output_scale)}"
            )


def _nlsq(raw: tf.Tensor) -> tfb.Bijector:
    return tfb.Invert(NLSq.from_unconstrained(raw))


def _affine(raw: tf.Tensor) -> tfb.Bijector:
    return tfb.Invert(Affine.from_unconstrained(raw))


def _spline(raw: tf.Tensor) -> tfb.Bijector:
    return tfb.Invert(rational_quadratic_spline(raw))


SCALAR_MAPS: dict[str, ScalarMap] = {
    "affine": ScalarMap(
        num_params=2,
        output_scale=(1.0, 0.4),
        from_unconstrained=_affine,
        formula="eps = a + b*z",
    ),
    "nlsq": ScalarMap(
        num_params=5,
        output_scale=(1.0, 0.4, 0.3, 0.4, 1.0),
        from_unconstrained=_nlsq,
        formula="eps = a + b*z + c / (1 + (d*z + g)**2)",
    ),
    "spline": ScalarMap(
        num_params=num_spline_params(8),
        output_scale=(1.0,) * num_spline_params(8),
        from_unconstrained=_spline,
        formula="eps = a rational-quadratic spline of 8 bins on [-6, 6], z outside",
    ),
}


def scalar_map(name: str) -> ScalarMap:
    """The row of `SCALAR_MAPS` called `name`.

    Raises:
      ValueError: there is no such row.
    """
    if name not in SCALAR_MAPS:
        raise ValueError(f"expected a scalar map of {', '.join(SCALAR_MAPS)}; got {name!r}")
    return SCALAR_MAPS[name]
