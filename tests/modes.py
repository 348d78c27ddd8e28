"""How a function is run in tests: as it stands, as a graph, or compiled."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import tensorflow as tf

__all__ = ["MODES", "every_mode"]

MODES: dict[str, Callable[[Callable], Callable]] = {
    "eager": lambda f: f,
    "graph": lambda f: tf.function(f, autograph=False),
    "jit": lambda f: tf.function(f, autograph=False, jit_compile=True),
}
# A graph is what is compiled, and what the tests of models run.
every_mode = pytest.mark.parametrize(
    "mode", ["eager", pytest.param("graph", marks=pytest.mark.nightly), "jit"]
)
