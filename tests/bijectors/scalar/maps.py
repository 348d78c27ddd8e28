"""A map of every row of SCALAR_MAPS, and that of docs/SCALAR_MAP.md, at random parameters."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.scalar.base import ScalarBijector
from bijectors.scalar.maps import ScalarMap
from bijectors.tables import SCALAR_MAPS
from tests.paths import ROOT

__all__ = [
    "BATCH",
    "EVENT",
    "PAGE",
    "build",
    "draw",
    "every_map",
    "every_own_map",
    "file_of_the_page",
    "map_of",
]

BATCH, EVENT = 7, 4
PAGE = "the map of docs/SCALAR_MAP.md"
every_map = pytest.mark.parametrize("name", [*SCALAR_MAPS, PAGE])


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


def file_of_the_page() -> str:
    """The file that the page says to make of its map."""
    page = (ROOT / "docs/SCALAR_MAP.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].partition("\n# In a flow")[0]
    public = "from bijectors import AutoregressiveHidden, ConditionalMADE, ScalarMap\n"
    assert public in code
    own = 'from bijectors.scalar.maps import ScalarMap\n\n__all__ = ["TAILS"]\n'
    return '"""Tails that are stretched or shortened."""\n\n' + code.replace(public, own)


@functools.cache
def _map_of_the_page() -> ScalarMap:
    """A newcomer's map, which is made as the page says, has to pass what is tested of all."""
    names: dict[str, object] = {}
    exec(file_of_the_page(), names)
    return names["TAILS"]


def _is_own(name: str) -> bool:
    """Whether its formula is a class of this package, and not a bijector of TFP's."""
    bijector = build(name, tf.zeros([map_of(name).num_params]))
    return isinstance(getattr(bijector, "bijector", bijector), ScalarBijector)


every_own_map = pytest.mark.parametrize("name", [*filter(_is_own, SCALAR_MAPS)])
