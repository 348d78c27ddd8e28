"""A map of every row of SCALAR_MAPS, at random parameters."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.tables import SCALAR_MAPS

__all__ = ["BATCH", "EVENT", "build", "draw", "every_map"]

BATCH, EVENT = 7, 4
every_map = pytest.mark.parametrize("name", SCALAR_MAPS)


def draw(name: str, dtype: type = np.float64) -> tuple[tf.Tensor, tf.Tensor]:
    """Raw parameters `[BATCH, EVENT, P]` and noise `[BATCH, EVENT]`."""
    rng = np.random.default_rng(0)
    raw = rng.normal(0, 1, (BATCH, EVENT, SCALAR_MAPS[name].num_params)).astype(dtype)
    eps = rng.normal(0, 2, (BATCH, EVENT)).astype(dtype)
    return tf.constant(raw), tf.constant(eps)


def build(name: str, raw: tf.Tensor) -> tfp.bijectors.Bijector:
    return SCALAR_MAPS[name].from_unconstrained(raw)
