"""The terms of a likelihood: what a model computes, and what a run adds up. Needs no TensorFlow."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Terms"]

Values = Any  # A tensor, an array, or a number.


class Terms(NamedTuple):
    """Terms of sequences, nats, each of the same shape.

    Those of `elbo` are of each sample z ~ q(z | x, T) and sequence, `[S, B]`. Those of `estimate`
    are of each sequence, `[B]`: the first two are means over the samples.

    Attributes:
      reconstruction: `log p(x | z, T)`.
      kl: `log q(z | x, T) - log p(z | T)`, whose mean over z ~ q is the KL divergence.
      log_prob: `log p(x | T)`: the bound `reconstruction - kl`, or the estimate by importance
        sampling, `logsumexp_s(reconstruction - kl) - log S`, or exact.

    Example:
      >>> from tf_latentflow import Terms
      >>> terms = Terms(reconstruction=-2.0, kl=5.0, log_prob=-7.0)
      >>> terms.reconstruction - terms.kl == terms.log_prob
      True
    """

    reconstruction: Values
    kl: Values
    log_prob: Values
