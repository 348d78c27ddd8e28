"""The terms of a likelihood, as models compute them and runs add them up. Needs no TensorFlow."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Terms"]

Values = Any  # A tensor, an array, or a number.


class Terms(NamedTuple):
    """Terms of the likelihood of sequences, in nats, all of the same shape.

    `elbo` returns them for each sample z ~ q(z | x, T) and each sequence, `[S, B]`. `estimate`
    returns them for each sequence, `[B]`; the first two are then means over the samples.

    Attributes:
      reconstruction: `log p(x | z, T)`.
      kl: `log q(z | x, T) - log p(z | T)`, whose mean over z ~ q is the KL divergence.
      log_prob: `log p(x | T)`: the bound `reconstruction - kl`, the importance-sampling estimate
        `logsumexp_s(reconstruction - kl) - log S`, or the exact value.

    Example:
      >>> from tf_latentflow import Terms
      >>> terms = Terms(reconstruction=-2.0, kl=5.0, log_prob=-7.0)
      >>> terms.reconstruction - terms.kl == terms.log_prob
      True
    """

    reconstruction: Values
    kl: Values
    log_prob: Values
