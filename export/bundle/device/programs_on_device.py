"""A bundle's programs, compiled for JAX's default device while others already run."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import jax

from export.bundle.device.contents import Bundle
from export.bundle.device.device_program import compile_program

__all__ = ["Programs"]

_MOST_THREADS = 8
_Compiled = Callable[..., list[jax.Array]]


class Programs:
    """Compiles each program of a bundle once, on request before its first use.

    Attributes:
      state: The bundle's variables, on the device.
    """

    def __init__(self, bundle: Bundle) -> None:
        """Puts the initial state on the device; compiles nothing yet."""
        self.state = [jax.device_put(value) for value in bundle.initial_state()]
        self._bundle = bundle
        self._pool = ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1))
        self._compiled: dict[tuple[str, int], Future[_Compiled]] = {}

    def start_compiling(self, *kinds: str) -> None:
        """Compiles all programs of these kinds in the background."""
        for kind in kinds:
            for bucket, bound in enumerate(self._bundle.programs[kind]["boundaries"]):
                if (kind, bound) not in self._compiled:
                    program = self._pool.submit(self._compile, kind, bucket)
                    self._compiled[kind, bound] = program

    def compiled(self, kind: str, bound: int) -> _Compiled:
        """Returns a program once it is compiled.

        Raises:
          UserError: It cannot be compiled.
        """
        self.start_compiling(kind)
        return self._compiled[kind, bound].result()

    def run(self, kind: str, bound: int, *inputs: Any) -> list[jax.Array]:
        """Runs a program, which changes the state; returns its other results.

        Args:
          kind: `train`, `valid` or `test`.
          bound: Length of the batches.
          *inputs: Inputs of the program, without the variables.
        """
        fields = self._bundle.programs[kind]
        variables = [self.state[i] for i in fields["variables"]]
        results = self.compiled(kind, bound)(*inputs, *variables)
        for i, value in zip(fields["changed"], results[fields["num_values"] :], strict=True):
            self.state[i] = value
        return results[: fields["num_values"]]

    def close(self) -> None:
        """Stops compiling."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _compile(self, kind: str, bucket: int) -> _Compiled:
        fields = self._bundle.programs[kind]
        inputs = fields["inputs"][bucket]
        variables, changed = fields["variables"], fields["changed"]
        return compile_program(
            self._bundle.artifact(fields["files"][bucket]),
            [*inputs, *((self.state[i].dtype.name, self.state[i].shape) for i in variables)],
            fields["results"][bucket],
            fields["num_values"] + len(changed),
            [len(inputs) + variables.index(i) for i in changed],
        )
