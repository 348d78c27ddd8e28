"""A bundle's programs, compiled for JAX's default device while others already run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import jax

from export.bundle.device.contents import Bundle
from export.bundle.device.device_program import compile_program

__all__ = ["Programs"]

_MOST_THREADS = 8
_WORK = {"train": "training", "valid": "validation", "test": "test"}
_Compiled = Callable[..., list[jax.Array]]


class Programs:
    """Compiles each program of a bundle once, on request before its first use.

    Attributes:
      state: The bundle's variables, on the device.
    """

    def __init__(self, bundle: Bundle, report: Callable[[str], None]) -> None:
        """Puts the initial state on the device; compiles nothing yet.

        Args:
          bundle: The training.
          report: Receives a line for every program that has been compiled. Called from threads.
        """
        self.state = [jax.device_put(value) for value in bundle.initial_state()]
        self._bundle = bundle
        self._report = report
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
        start = time.perf_counter()
        program = compile_program(
            self._bundle.artifact(fields["files"][bucket]),
            [*inputs, *((self.state[i].dtype.name, self.state[i].shape) for i in variables)],
            fields["results"][bucket],
            fields["num_values"] + len(changed),
            [len(inputs) + variables.index(i) for i in changed],
        )
        seconds = time.perf_counter() - start
        bounds = fields["boundaries"]
        which = f"{bucket + 1} of {len(bounds)}, {bounds[bucket]} steps long"
        self._report(f"compiled for {_WORK[kind]}: {which}, {seconds:.0f} s")
        return program
