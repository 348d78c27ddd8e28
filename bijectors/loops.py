"""A loop with a state and outputs, for the serial directions of the bijectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from bijectors.axes import size_of_axis

__all__ = ["Structure", "scan"]

Structure = Any  # a nest of tensors


def scan(
    body: Callable[[Structure, Structure], tuple[Structure, Structure]],
    state: Structure,
    inputs: Structure,
    output_spec: Structure,
    reverse: bool = False,
    parallel_iterations: int = 10,
) -> tuple[Structure, Structure]:
    """Computes `state, output[t] = body(state, inputs[t])` for every `t`.

    Unlike `tf.scan`, it stores only the outputs, not every intermediate state. It is
    differentiable, and XLA can compile it if the number of steps is static.

    Args:
      body: One step: from the state and the inputs of the step to the new state and the outputs.
      state: Initial state, a nest of tensors whose shapes do not change.
      inputs: Nest of at least one tensor `[T, ...]`.
      output_spec: Nest of `tf.TensorSpec`: dtypes and shapes of the outputs of one step.
      reverse: Run from the last step to the first.
      parallel_iterations: How many steps may overlap where they do not depend on each other. With
        1, only the intermediate values of one step are in memory at a time.

    Returns:
      The final state, and the outputs stacked to `[T, ...]`.

    Example:
      >>> import tensorflow as tf
      >>> from bijectors import scan
      >>> def add(total, number):
      ...     return total + number, total + number
      >>> total, sums = scan(add, tf.constant(0.0), tf.constant([1.0, 2.0, 3.0]), tf.TensorSpec([]))
      >>> float(total), sums.numpy().tolist()
      (6.0, [1.0, 3.0, 6.0])
    """
    options = output_spec, reverse, parallel_iterations
    leaf = tf.nest.flatten(inputs)[0]
    known = (spec.shape.is_fully_defined() for spec in tf.nest.flatten(output_spec))
    if leaf.shape[0] or all(known):
        return _scan(body, state, inputs, *options)
    # A loop without a turn cannot stack what it does not know the shape of: it makes one.
    num_steps = tf.shape(leaf)[0]
    none = tf.equal(num_steps, 0)

    def at_least_one(values: tf.Tensor) -> tf.Tensor:
        missing = [[0, 0]] * (values.shape.rank - 1)
        return tf.pad(values, [[0, tf.cast(none, tf.int32)], *missing])

    last, outputs = _scan(body, state, tf.nest.map_structure(at_least_one, inputs), *options)
    last = tf.nest.map_structure(lambda new, first: tf.where(none, first, new), last, state)
    return last, tf.nest.map_structure(lambda values: values[:num_steps], outputs)


def _scan(
    body: Callable[[Structure, Structure], tuple[Structure, Structure]],
    state: Structure,
    inputs: Structure,
    output_spec: Structure,
    reverse: bool,
    parallel_iterations: int,
) -> tuple[Structure, Structure]:
    num_steps = size_of_axis(tf.nest.flatten(inputs)[0], 0)
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
