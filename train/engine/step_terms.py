"""What a training step reports; needs no TensorFlow."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["FAILURE_TERMS", "StepTerms"]

Scalar = Any  # A scalar tensor or array, or a number.

FAILURE_TERMS = ("reconstruction", "kl", "length", "gradient norm")


class StepTerms(NamedTuple):
    """Sums over the sequences of a step, nats, as scalars.

    Attributes:
      reconstruction: Sum of that of `tf_latentflow.terms.Terms`, the mean over its samples of z.
      kl: Likewise.
      log_prob: Likewise.
      log_length: Sum of `log p(T)`.
      symbols: `sum(T + 1)`; the 1 is the end of the sequence.
      gradient_norm: Global norm, before clipping, of the gradient of the loss: nats per symbol.
    """

    reconstruction: Scalar
    kl: Scalar
    log_prob: Scalar
    log_length: Scalar
    symbols: Scalar
    gradient_norm: Scalar
