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
_Compiled = Callable[..., Any]


class Programs:
    """Compiles each program of a bundle once, ahead of its first use where asked to."""

    def __init__(self, bundle: Bundle) -> None:
        """Compiles nothing yet."""
        self._bundle = bundle
        self._pool = ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1))
        self._compiled: dict[tuple[str, int], Future[_Compiled]] = {}

    def start_compiling(self, *kinds: str) -> None:
        """Compiles all programs of these kinds in the background."""
        for kind in kinds:
            for bound in self._bundle.manifest["programs"][kind]["boundaries"]:
                self._submit(kind, bound)

    def wait(self, kind: str, bound: int) -> None:
        """Returns when a program is compiled.

        Raises:
          UserError: If it cannot be compiled.
        """
        self._get(kind, bound)

    def train(self, bound: int, state: list[jax.Array], *inputs: Any) -> jax.Array:
        """Starts a call of steps; puts the new variables into `state` and returns the terms.

        Args:
          bound: Length of the batches.
          state: The bundle's variables.
          *inputs: Of `export.bundle.programs.training_function`.
        """
        fields = self._bundle.manifest["programs"]["train"]
        changed = fields["changed"]
        fixed = [i for i in fields["variables"] if i not in set(changed)]
        run = self._get("train", bound)
        (terms,), new = run([state[i] for i in changed], [state[i] for i in fixed], *inputs)
        for i, value in zip(changed, new, strict=True):
            state[i] = value
        return terms

    def evaluate(
        self, kind: str, bound: int, state: list[jax.Array], *inputs: Any
    ) -> list[jax.Array]:
        """Starts the evaluation of a batch: its terms, `[B]` each.

        Args:
          kind: `valid` or `test`.
          bound: Length of the batch.
          state: The bundle's variables.
          *inputs: Of `export.bundle.programs.evaluation_function`.
        """
        variables = self._bundle.manifest["programs"][kind]["variables"]
        return self._get(kind, bound)([], [state[i] for i in variables], *inputs)[0]

    def close(self) -> None:
        """Compiles nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _get(self, kind: str, bound: int) -> _Compiled:
        if (kind, bound) not in self._compiled:
            self.start_compiling(kind)
        return self._compiled[kind, bound].result()

    def _submit(self, kind: str, bound: int) -> None:
        if (kind, bound) not in self._compiled:
            self._compiled[kind, bound] = self._pool.submit(self._compile, kind, bound)

    def _compile(self, kind: str, bound: int) -> _Compiled:
        fields = self._bundle.manifest["programs"][kind]
        bucket = fields["boundaries"].index(bound)
        variables = self._bundle.variables
        positions = {variable: i for i, variable in enumerate(fields["variables"])}
        changed = [(variables[i].dtype, variables[i].shape) for i in fields["changed"]]
        return compile_program(
            self._bundle.artifact(fields["files"][bucket]),
            fields["inputs"][bucket],
            [(variables[i].dtype, variables[i].shape) for i in fields["variables"]],
            [*fields["values"][bucket], *changed, *fields["surplus"]],
            len(fields["values"][bucket]),
            [positions[i] for i in fields["changed"]],
        )
