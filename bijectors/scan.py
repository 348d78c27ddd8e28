"""A loop that carries a state and collects outputs: the serial direction of every bijector here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

__all__ = ["scan"]

Structure = Any  # a nest of tensors


def scan(
    body: Callable[[Structure, Structure], tuple[Structure, Structure]],
    state: Structure,
    inputs: Structure,
    output_spec: Structure,
    reverse: bool = False,
    parallel_iterations: int = 10,
) -> tuple[Structure, Structure]:
    """Runs `state, output[t] = body(state, inputs[t])` for every `t`.

    Unlike `tf.scan` it does not keep every intermediate state, only the outputs that the body
    returns. It is differentiable and compiles under XLA when the number of steps is static.

    Args:
      body: The step.
      state: Initial state, a nest of tensors; its shapes stay the same.
      inputs: Nest of tensors `[T, ...]`, at least one.
      output_spec: Nest of `tf.TensorSpec`, the dtype and shape of one step's outputs.
      reverse: Goes from the last step to the first.
      parallel_iterations: Steps that may overlap where they do not wait for each other; 1 keeps no
        more than one step's intermediate values in memory.

    Returns:
      The final state, and the outputs stacked to `[T, ...]`.
    """
    leaf = tf.nest.flatten(inputs)[0]
    num_steps = leaf.shape[0] if leaf.shape[0] is not None else tf.shape(leaf)[0]
    read = tf.nest.map_structure(_unstack, inputs)
    write = [
        tf.TensorArray(spec.dtype, size=num_steps, element_shape=spec.shape)
        for spec in tf.nest.flatten(output_spec)
    ]

    def step(k: tf.Tensor, state: Structure, write: list[tf.TensorArray]) -> tuple:
        t = num_steps - 1 - k if reverse else k
        state, outputs = body(state, tf.nest.map_structure(lambda array: array.read(t), read))
        outputs = tf.nest.flatten(outputs)
        return k + 1, state, [w.write(t, o) for w, o in zip(write, outputs, strict=True)]

    _, state, write = tf.while_loop(
        lambda k, *_: k < num_steps,
        step,
        (tf.constant(0), state, write),
        maximum_iterations=num_steps,
        parallel_iterations=parallel_iterations,
    )
    stacked = [array.stack() for array in write]
    return state, tf.nest.pack_sequence_as(output_spec, stacked)


def _unstack(values: tf.Tensor) -> tf.TensorArray:
    array = tf.TensorArray(values.dtype, size=tf.shape(values)[0], element_shape=values.shape[1:])
    return array.unstack(values)
