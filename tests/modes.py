"""How a function is run in tests: as it stands, as a graph, or compiled."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import tensorflow as tf

__all__ = ["MODES", "every_mode", "mostly_eager"]

MODES: dict[str, Callable[[Callable], Callable]] = {
    "eager": lambda f: f,
    "graph": lambda f: tf.function(f, autograph=False),
    "jit": lambda f: tf.function(f, autograph=False, jit_compile=True),
}
_GRAPH, _JIT = (pytest.param(mode, marks=pytest.mark.nightly) for mode in ("graph", "jit"))
# A graph is what is compiled, and what the tests of models run.
every_mode = pytest.mark.parametrize("mode", ["eager", _GRAPH, "jit"])
# For what has no other values when compiled than those that tests of `every_mode` look at.
mostly_eager = pytest.mark.parametrize("mode", ["eager", _GRAPH, _JIT])
