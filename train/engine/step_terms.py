"""What a training step reports; needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

from tf_latentflow.terms import Terms

__all__ = ["FAILURE_TERMS", "StepTerms"]

Scalar = Any  # A scalar tensor or array, or a number.

FAILURE_TERMS = ("reconstruction", "kl", "length", "gradient norm")


class StepTerms(NamedTuple):
    """Sums over the sequences of a step, nats, as scalars.

    Attributes:
      terms: Sums of the terms, each the mean over its samples of z.
      log_length: Sum of `log p(T)`.
      symbols: `sum(T + 1)`; the 1 is the end of the sequence.
      gradient_norm: Global norm, before clipping, of the gradient of the loss: nats per symbol.
    """

    terms: Terms
    log_length: Scalar
    symbols: Scalar
    gradient_norm: Scalar

    def flat(self) -> list[Scalar]:
        """The six numbers."""
        return [*self.terms, *self[1:]]

    @classmethod
    def from_flat(cls, values: Sequence[Scalar]) -> Self:
        """What `flat` was called on."""
        return cls(Terms(*values[:3]), *values[3:])
