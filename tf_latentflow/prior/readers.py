"""What the network over the steps reads of each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from tf_latentflow.config import ModelConfig
from tf_latentflow.networks.codebook import Codebook

__all__ = ["Reader", "latents", "symbols"]


class Reader(NamedTuple):
    """An entry of `tf_latentflow.config.choices.CONDITIONER_INPUTS`, made for a model.

    Attributes:
      size: R, the size of what is read of a step.
      read: From vectors `[..., H]` to `[..., R]`.
    """

    size: int
    read: Callable[[tf.Tensor], tf.Tensor]


def latents(config: ModelConfig, codebook: Codebook | None) -> Reader:
    """The vector itself."""
    return Reader(config.latent_size, lambda z: z)


def symbols(config: ModelConfig, codebook: Codebook | None) -> Reader:
    """How likely each symbol, or note, is given z: Bayes' rule of the codebook with equal weights.

        w[k] = N(z; mu[k], diag s[k]^2) / sum_j N(z; mu[j], diag s[j]^2)

    It is a function of z alone, so the flow stays what it is. A network learns faster from it than
    from z, as its first matrix has a row for each symbol.

    Raises:
      ValueError: There is no codebook.
    """
    if codebook is None:
        raise ValueError("expected the codebook of the model, as symbols are read; got none")
    return Reader(config.vocab_size, lambda z: codebook.probs(z))
