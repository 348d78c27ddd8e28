"""Whether loops are compiled: chosen where a function is traced, and not in every loop."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator

__all__ = ["compiled_loops", "loops_are_compiled"]

_compile: contextvars.ContextVar[bool] = contextvars.ContextVar("compile", default=False)


@contextlib.contextmanager
def compiled_loops(enabled: bool = True) -> Iterator[None]:
    """Within it functions are traced with serial loops that XLA compiles, for each shape anew.

    A step of such a loop costs its products and little else. The graph then runs only where XLA
    does, which is why it is not the default. With `enabled=False` loops are not compiled, whatever
    is around.
    """
    token = _compile.set(enabled)
    try:
        yield
    finally:
        _compile.reset(token)


def loops_are_compiled() -> bool:
    """Whether this is within `compiled_loops`."""
    return _compile.get()
