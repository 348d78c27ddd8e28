"""A program of StableHLO as a function of JAX arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from train.support.errors import UserError

__all__ = ["compile_program"]

Spec = tuple[str, Sequence[int]]  # dtype, shape


def compile_program(
    artifact: bytes,
    inputs: Sequence[Spec],
    variables: Sequence[Spec],
    results: Sequence[Spec],
    num_values: int,
    changed: Sequence[int],
) -> Callable[..., Any]:
    """Compiles a program for JAX's default device.

    JAX reads StableHLO where it calls what `jax.export` has exported; so a function of the same
    arguments and results is exported, and its module replaced.

    Args:
      artifact: Portable StableHLO of a main function, from the inputs and then the variables to the
        results.
      inputs: Of the program.
      variables: Likewise.
      results: Likewise: `num_values` values, then the new values of the variables `changed`. What
        comes after these is left out.
      num_values: How many values there are.
      changed: Indices of variables.

    Returns:
      A function `(changed values, values of the other variables, *inputs)` to (list of values,
      list of new values). The changed values are given away: their memory is used again.

    Raises:
      UserError: If this JAX cannot compile it.
    """
    others = sorted(set(range(len(variables))) - set(changed))

    def main(*_: jax.Array) -> list[jax.Array]:
        return [jax.numpy.zeros(shape, dtype) for dtype, shape in results]

    def run(
        changing: list[jax.Array], fixed: list[jax.Array], *arguments: jax.Array
    ) -> tuple[list[jax.Array], list[jax.Array]]:
        by_index = dict(zip([*changed, *others], [*changing, *fixed], strict=True))
        values = exported.call(*arguments, *(by_index[i] for i in range(len(variables))))
        return values[:num_values], values[num_values : num_values + len(changed)]

    try:
        # Not at the top: some versions need a package more for it.
        from jax import export

        specs = [jax.ShapeDtypeStruct(shape, np.dtype(dtype)) for dtype, shape in inputs]
        states = [jax.ShapeDtypeStruct(shape, np.dtype(dtype)) for dtype, shape in variables]
        stub = export.export(jax.jit(main, keep_unused=True))(*specs, *states)
        exported = dataclasses.replace(stub, mlir_module_serialized=artifact)
        changing, fixed = [states[i] for i in changed], [states[i] for i in others]
        return jax.jit(run, donate_argnums=0).lower(changing, fixed, *specs).compile()
    except Exception as error:  # Whatever a version, a device's plugin or its compiler may raise.
        lines = str(error).strip().splitlines() or [""]
        raise UserError(
            f"JAX {jax.__version__} cannot compile the program for {jax.default_backend()} "
            f"({type(error).__name__}: {lines[0][:300]}): take another version of jax, "
            "0.7 or later, or 0.6 with absl-py"
        ) from error
