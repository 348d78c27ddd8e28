"""Functions of TensorFlow as StableHLO, with their variables as arguments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf
from tensorflow.compiler.mlir.stablehlo import stablehlo

__all__ = ["Program", "lower", "variables_of"]

# Old enough for every JAX that the runner supports; StableHLO promises five years.
_VERSION = "1.0.0"
_DTYPES = {"f32": "float32", "bf16": "bfloat16", "i32": "int32", "i64": "int64", "i1": "bool"}


class Program(NamedTuple):
    """The result of `lower`.

    Attributes:
      artifact: Portable StableHLO. Its arguments are those of the function, followed by the values
        of its variables in the order of `variables_of`.
      results: dtype and shape of each result: those of the function, followed by the new value of
        each variable that it changes.
    """

    artifact: bytes
    results: list[tuple[str, list[int]]]


def variables_of(function: tf.types.experimental.PolymorphicFunction) -> list[tf.Variable]:
    """Returns the variables that a function with an `input_signature` reads or changes.

    Raises:
      ValueError: The function has captured a tensor, which cannot become an argument.
    """
    concrete = function.get_concrete_function()
    by_handle = {id(variable.handle): variable for variable in concrete.graph.variables}
    variables = []
    for captured in concrete.captured_inputs:
        if id(captured) not in by_handle:
            raise ValueError(f"expected a function that captures variables alone; got {captured}")
        variables.append(by_handle[id(captured)])
    return variables


def lower(
    function: tf.types.experimental.PolymorphicFunction, specs: Sequence[tf.TensorSpec]
) -> Program:
    """Lowers a function for given argument shapes, for a CPU, but without anything specific to it.

    The random numbers of `tf.random.stateless_*` are part of the program (Philox, counted by XLA).
    On every device they equal those of TensorFlow with XLA, but not those of TensorFlow without
    XLA.

    Args:
      function: Made with `jit_compile=True` and an `input_signature` that covers all shapes.
      specs: Fully known shapes and dtypes of its arguments.

    Raises:
      ValueError: A part of the program is not StableHLO, or is float64.
    """
    with tf.device("/cpu:0"):  # Otherwise it would be lowered for a GPU, if there is one.
        arguments = [tf.zeros(spec.shape, spec.dtype) for spec in specs]
        text = function.experimental_get_compiler_ir(*arguments)(stage="stablehlo")
    # The locations of operations are paths on this machine.
    text = re.sub(r"(?m)^(#loc\d*) = loc\(.*\)$", r"\1 = loc(unknown)", text)
    # The only operation that TensorFlow leaves in another dialect: a copy of its argument.
    text = re.sub(
        r"mhlo\.copy (%\S+) : (tensor<[^>]*>)", r"stablehlo.reshape \1 : (\2) -> \2", text
    )
    foreign = re.search(
        r"= \"?(?!stablehlo|func|call)([a-z]\w*\.\w+)|stablehlo\.custom_call.*", text
    )
    if foreign:
        raise ValueError(f"expected StableHLO without custom calls; got {foreign[0][:200]}")
    if re.search(r"[<x]f64>", text):
        raise ValueError("expected no float64, which not every device has; got some")
    artifact = stablehlo.serialize_portable_artifact_str(text.encode(), _VERSION)
    return Program(artifact, _results(text))


def _results(text: str) -> list[tuple[str, list[int]]]:
    """The types of the results of the main function."""
    signature = text[text.index("@main(") :].split("\n", 1)[0]
    types = re.findall(r"tensor<([^>]*)>", signature.rsplit(" -> ", 1)[1])
    parts = [kind.split("x") for kind in types]
    return [(_DTYPES[dtype], [int(size) for size in shape]) for *shape, dtype in parts]
