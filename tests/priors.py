"""Flow priors of small sizes, far from the identity."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tf_latentflow import FlowPrior, ModelConfig
from tf_latentflow.networks.codebook import SymbolCodebook

__all__ = ["LENGTHS", "H", "T", "draw", "make_prior"]

T, H = 3, 3
LENGTHS = (3, 2, 0)


def make_prior(name: str, **overrides: object) -> FlowPrior:
    sizes = {"max_length": 8, "latent_size": H, "num_lstm_layers": 1, **overrides}
    config = ModelConfig.from_name(name, "tiny", **sizes)
    codebook = None
    if config.conditioner_input == "symbols":
        codebook = SymbolCodebook(config.vocab_size, config.latent_size)
        # So wide that the symbols of a vector far out are not certain: derivatives would underflow.
        codebook._log_std.assign(tf.fill(codebook._log_std.shape, tf.cast(2.0, codebook.dtype)))
    prior = FlowPrior(config, codebook=codebook)
    rng = np.random.default_rng(0)
    for variable in prior.trainable_variables:  # far from the identity
        variable.assign_add(rng.normal(0, 0.3, variable.shape))
    return prior


def draw(*shape: int, seed: int = 1) -> tf.Tensor:
    return tf.constant(np.random.default_rng(seed).normal(size=shape))
