"""What a training step reports; needs no TensorFlow."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["FAILURE_TERMS", "StepTerms"]

Scalar = Any  # A scalar tensor or array, or a number.

FAILURE_TERMS = ("reconstruction", "kl", "length", "gradient norm")


class StepTerms(NamedTuple):
    """What a step reports, scalars: sums over the batch by `sum(T + 1)`, nats per symbol.

    Attributes:
      reconstruction: `-log p(x|z)`, mean over the samples of z.
      kl: `log q(z|x) - log p(z|T)`, mean over the samples of z.
      length: `-log p(T)`.
      gradient_norm: Global norm of the gradient before clipping.
      symbols: The denominator `sum(T + 1)`; the 1 is the end of the sequence.
    """

    reconstruction: Scalar
    kl: Scalar
    length: Scalar
    gradient_norm: Scalar
    symbols: Scalar
