"""What the networks of a model share."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from tf_latentflow.networks.codebook import Codebook

__all__ = ["Parts"]


class Parts(NamedTuple):
    """Parts of a model that its inference network and its emitter may read.

    Attributes:
      embed: From `x [..., T, *event_shape]` to vectors `[..., T, E]`.
      inputs: From x to what a network reads of it, `[..., T, n]`.
      input_kernel: From a kernel `[E, m]` to `[n, m]`: `inputs(x) @ input_kernel(kernel)` is
        `embed(x) @ kernel`.
      logits: From features `[..., E]` to logits `[..., V]`, by the matrix of the embedding.
      codebook: The distributions of z given x, or None.
    """

    embed: Callable[[tf.Tensor], tf.Tensor]
    inputs: Callable[[tf.Tensor], tf.Tensor]
    input_kernel: Callable[[tf.Tensor], tf.Tensor]
    logits: Callable[[tf.Tensor], tf.Tensor]
    codebook: Codebook | None
