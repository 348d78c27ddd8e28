"""The probability of a sequence by integration over a grid of latents."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tf_latentflow import LatentFlow

__all__ = ["log_prob_by_quadrature"]


def log_prob_by_quadrature(model: LatentFlow, x: np.ndarray) -> float:
    """`log p(x | T)` of one sequence by integration over a grid of z; T * H must be 2."""
    grid = np.linspace(-12, 12, 241)
    log_cell = 2 * np.log(grid[1] - grid[0])
    num_steps = len(x)
    z = np.stack(np.meshgrid(grid, grid, indexing="ij"), -1).reshape(-1, num_steps, 2 // num_steps)
    z = tf.constant(z, model.compute_dtype)
    lengths = tf.fill([len(z)], num_steps)
    log_p = model.prior.log_prob(z, lengths)
    assert np.exp(log_p + log_cell).sum() == pytest.approx(1, abs=2e-3)  # the grid holds it all
    log_x = tf.reduce_sum(model.symbols.log_prob(model.logits(z, lengths), x[None]), -1)
    return float(tf.reduce_logsumexp(log_p + log_x)) + log_cell
