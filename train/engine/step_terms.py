"""The numbers that a training step reports; needs no TensorFlow."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["FAILURE_TERMS", "StepTerms"]

Scalar = Any  # A scalar tensor or array, or a number.

# Fields of `StepTerms` that must be finite. A bad term causes a bad gradient, which comes last.
FAILURE_TERMS = ("reconstruction", "kl", "log_length", "gradient_norm")


class StepTerms(NamedTuple):
    """Sums over the sequences of a step, nats, as scalars.

    Attributes:
      reconstruction: Sum of `tf_latentflow.terms.Terms.reconstruction`, averaged over samples of z.
      kl: The same for `kl`.
      log_prob: The same for `log_prob`.
      log_length: Sum of `log p(T)`.
      symbols: `sum(T + 1)`; the 1 is the end of the sequence.
      gradient_norm: Global norm of the gradient of the loss before clipping, nats per symbol.
    """

    reconstruction: Scalar
    kl: Scalar
    log_prob: Scalar
    log_length: Scalar
    symbols: Scalar
    gradient_norm: Scalar
