"""A map of every row of SCALAR_MAPS, at random parameters."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.scalar.maps import ScalarMap
from bijectors.tables import SCALAR_MAPS
from tests.paths import ROOT

__all__ = ["BATCH", "EVENT", "PAGE", "build", "draw", "every_map", "map_of"]

BATCH, EVENT = 7, 4
PAGE = "the map of docs/SCALAR_MAP.md"
every_map = pytest.mark.parametrize("name", SCALAR_MAPS)


def draw(name: str, dtype: type = np.float64) -> tuple[tf.Tensor, tf.Tensor]:
    """Raw parameters `[BATCH, EVENT, P]` and noise `[BATCH, EVENT]`."""
    rng = np.random.default_rng(0)
    raw = rng.normal(0, 1, (BATCH, EVENT, map_of(name).num_params)).astype(dtype)
    eps = rng.normal(0, 2, (BATCH, EVENT)).astype(dtype)
    return tf.constant(raw), tf.constant(eps)


def build(name: str, raw: tf.Tensor) -> tfp.bijectors.Bijector:
    return map_of(name).from_unconstrained(raw)


def map_of(name: str) -> ScalarMap:
    return _map_of_the_page() if name == PAGE else SCALAR_MAPS[name]


@functools.cache
def _map_of_the_page() -> ScalarMap:
    """A newcomer's map, which is made as the page says, has to pass what is tested of all."""
    page = (ROOT / "docs/SCALAR_MAP.md").read_text(encoding="utf-8")
    names: dict[str, object] = {}
    exec(page.split("```python\n")[1].split("```")[0], names)
    return names["TAILS"]
