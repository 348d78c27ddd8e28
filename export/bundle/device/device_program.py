"""StableHLO programs as functions of JAX arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import jax
import numpy as np

from train.support.errors import UserError

__all__ = ["compile_program"]

Spec = tuple[str, Sequence[int]]  # dtype, shape


def compile_program(
    artifact: bytes,
    arguments: Sequence[Spec],
    results: Sequence[Spec],
    num_results: int,
    given_away: Sequence[int],
) -> Callable[..., list[jax.Array]]:
    """Compiles a program for JAX's default device.

    JAX reads StableHLO only as the content of an export by `jax.export`. So a function with the
    same arguments and results is exported, and its module is replaced.

    Args:
      artifact: Portable StableHLO of a main function.
      arguments: Arguments of the program.
      results: Results of the program.
      num_results: How many of the first results to return.
      given_away: Indices of the arguments whose memory is reused for the results.

    Returns:
      A function from the arguments to the list of the first results.

    Raises:
      UserError: This version of JAX cannot compile it.
    """

    def main(*_: jax.Array) -> list[jax.Array]:
        return [jax.numpy.zeros(shape, dtype) for dtype, shape in results]

    def run(*values: jax.Array) -> list[jax.Array]:
        return exported.call(*values)[:num_results]

    try:
        # Not at the top: some versions need a package more for it.
        from jax import export

        specs = [jax.ShapeDtypeStruct(shape, np.dtype(dtype)) for dtype, shape in arguments]
        stub = export.export(jax.jit(main, keep_unused=True))(*specs)
        exported = dataclasses.replace(stub, mlir_module_serialized=artifact)
        return jax.jit(run, donate_argnums=tuple(given_away)).lower(*specs).compile()
    except Exception as error:  # Whatever a version, a device's plugin or its compiler may raise.
        lines = str(error).strip().splitlines() or [""]
        raise UserError(
            f"JAX {jax.__version__} cannot compile the program for {jax.default_backend()} "
            f"({type(error).__name__}: {lines[0][:300]}): end other programs on the device, "
            "or take another version of jax, 0.7 or later, or 0.6 with absl-py"
        ) from error
