"""The serial core of an LSTM: everything that cannot be done for all steps at once.

    i, f, o, g = split(x[t] + h[t-1] R)
    c[t] = sigmoid(f) c[t-1] + sigmoid(i) tanh(g);  h[t] = sigmoid(o) tanh(c[t])

`x[t]`, the input product with its bias, is made for all steps beforehand by one product.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from bijectors import Execution
from bijectors.loops import scan

__all__ = ["Direction", "lstm_recurrence", "lstm_step"]

# The most recurrent weights in one loop, 1 MiB in float32. More would not stay in a small cache.
_MOST_SHARED = 1 << 18


def lstm_step(
    projected: tf.Tensor,
    recurrent: tf.Tensor,
    h: tf.Tensor,
    c: tf.Tensor,
    execution: Execution,
) -> tuple[tf.Tensor, tf.Tensor]:
    """One step: `projected [..., 4U]`, `recurrent [U, 4U]`, `h, c [..., U]` to the new `h, c`."""
    return _advance(projected + execution.product(h, recurrent), c)[:2]


class Direction(NamedTuple):
    """What one direction of a layer reads.

    Attributes:
      projected: `[T, N, 4U]`, input products and biases, gates in the order i, f, o, g.
      recurrent: `[U, 4U]`.
      h: `[N, U]`, before the first step.
      c: `[N, U]`, likewise.
    """

    projected: tf.Tensor
    recurrent: tf.Tensor
    h: tf.Tensor
    c: tf.Tensor


class _Steps(NamedTuple):
    """What a direction computes at every step, `[T, N, U]` each."""

    h: tf.Tensor
    c: tf.Tensor
    i: tf.Tensor
    f: tf.Tensor
    o: tf.Tensor
    g: tf.Tensor


def lstm_recurrence(directions: Sequence[Direction], execution: Execution) -> list[tf.Tensor]:
    """Runs independent LSTM directions of the same sizes over T steps.

    The gradient of `recurrent` is one product after the backward loop. Each direction has its own
    arrays, because stacking them would mean copying them. Small directions share a loop, which
    costs less than one each. Large ones have a loop each, one after the other, so that the weights
    of one stay in the cache.

    Returns:
      `h` of every step, `[T, N, U]`, for each direction.
    """
    arguments = [value for direction in directions for value in direction]
    return list(_recurrence(execution)(*arguments))


@functools.cache
def _recurrence(execution: Execution) -> Callable[..., tuple[tf.Tensor, ...]]:
    """`lstm_recurrence` of the fields of all directions, one after the other."""
    forward, backward = (_COMPILED if execution.compile_loops else _LOOPS).values()
    operand = execution.operand

    @tf.custom_gradient
    def recurrence(*arguments: tf.Tensor) -> tuple[tuple[tf.Tensor, ...], object]:
        size = len(Direction._fields)
        directions = [Direction(*arguments[k : k + size]) for k in range(0, len(arguments), size)]
        operands = [operand(direction.recurrent) for direction in directions]
        weights = sum(values.shape.num_elements() for values in operands)
        shared = len(directions) if weights <= _MOST_SHARED else 1
        steps = _in_turn(forward, shared, directions, operands)

        def grad(*d_hs: tf.Tensor) -> list[tf.Tensor]:
            c_before = [_before(d.c, s.c) for d, s in zip(directions, steps, strict=True)]
            # Transposed here, once: inside the loop it would cost as much as the product.
            transposed = [tf.linalg.matrix_transpose(values) for values in operands]
            gradients = _in_turn(backward, shared, d_hs, steps, c_before, transposed)
            for k, (direction, step, own) in enumerate(
                zip(directions, steps, gradients, strict=True)
            ):
                h_before = operand(_rows(_before(direction.h, step.h)))
                d_gates = operand(_rows(own.projected))
                d_recurrent = tf.matmul(h_before, d_gates, transpose_a=True)
                gradients[k] = own._replace(recurrent=tf.cast(d_recurrent, step.h.dtype))
            return [value for own in gradients for value in own]

        return tuple(step.h for step in steps), grad

    return recurrence


def _in_turn(loop: Callable[..., list], shared: int, *arguments: Sequence) -> list:
    """Calls `loop` for groups of `shared` directions, each after the one before; all results."""
    found: list[Any] = []
    for k in range(0, len(arguments[0]), shared):
        with tf.control_dependencies(tf.nest.flatten(found)[-1:]):
            found += loop(*(list(values[k : k + shared]) for values in arguments))
    return found


def _forward(directions: Sequence[Direction], operands: Sequence[tf.Tensor]) -> list[_Steps]:
    def step(
        states: list[tuple[tf.Tensor, tf.Tensor]], projected: list[tf.Tensor]
    ) -> tuple[list[tuple[tf.Tensor, tf.Tensor]], list[_Steps]]:
        outputs = [
            _Steps(*_advance(inputs + _times(h, operand), c))
            for (h, c), inputs, operand in zip(states, projected, operands, strict=True)
        ]
        return [(new.h, new.c) for new in outputs], outputs

    states = [(direction.h, direction.c) for direction in directions]
    spec = [_Steps(*[tf.TensorSpec(h.shape, h.dtype)] * len(_Steps._fields)) for h, _ in states]
    return scan(step, states, [direction.projected for direction in directions], spec)[1]


def _backward(
    d_hs: Sequence[tf.Tensor],
    steps: Sequence[_Steps],
    c_before: Sequence[tf.Tensor],
    transposed: Sequence[tf.Tensor],
) -> list[Direction]:
    """Gradients of what each direction reads, but for that of `recurrent`, which is a zero."""

    def step(
        states: list[tuple[tf.Tensor, tf.Tensor]], inputs: list[tuple]
    ) -> tuple[list[tuple[tf.Tensor, tf.Tensor]], list[tf.Tensor]]:
        new_states, d_projected = [], []
        for (d_h, d_c), (d_out, (_, c, i, f, o, g), before), weights in zip(
            states, inputs, transposed, strict=True
        ):
            tanh_c = tf.tanh(c)
            d_h += d_out
            d_c += d_h * o * (1 - tanh_c * tanh_c)
            d_i, d_f = d_c * g * i * (1 - i), d_c * before * f * (1 - f)
            d_o, d_g = d_h * tanh_c * o * (1 - o), d_c * i * (1 - g * g)
            d_gates = tf.concat([d_i, d_f, d_o, d_g], axis=-1)
            new_states.append((_times(d_gates, weights), d_c * f))
            d_projected.append(d_gates)
        return new_states, d_projected

    zeros = [tf.zeros_like(before[0]) for before in c_before]
    specs = [
        tf.TensorSpec([*d.shape[1:-1], weights.shape[-2]], d.dtype)
        for d, weights in zip(d_hs, transposed, strict=True)
    ]
    inputs = list(zip(d_hs, steps, c_before, strict=True))
    states, d_projected = scan(step, [(zero, zero) for zero in zeros], inputs, specs, reverse=True)
    nothing = tf.zeros([], d_hs[0].dtype)
    return [Direction(d, nothing, *state) for d, state in zip(d_projected, states, strict=True)]


def _advance(gates: tf.Tensor, c: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """From the gates before their activation: the new `h` and `c`, and `i, f, o, g`."""
    i, f, o, g = tf.split(gates, 4, axis=-1)
    i, f, o, g = tf.sigmoid(i), tf.sigmoid(f), tf.sigmoid(o), tf.tanh(g)
    c = f * c + i * g
    return o * tf.tanh(c), c, i, f, o, g


_LOOPS: dict[str, Callable[..., Any]] = {"forward": _forward, "backward": _backward}
# One function each, so that layers of the same sizes share what is compiled.
_COMPILED: dict[str, Callable[..., Any]] = {
    name: tf.function(loop, jit_compile=True, autograph=False) for name, loop in _LOOPS.items()
}


def _times(values: tf.Tensor, operand: tf.Tensor) -> tf.Tensor:
    """A product in the dtype of the operand."""
    return tf.cast(tf.matmul(tf.cast(values, operand.dtype), operand), values.dtype)


def _before(first: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """What every step of `values [T, N, U]` starts from, `first [N, U]` at the first."""
    return tf.concat([first[None], values[:-1]], axis=0)


def _rows(values: tf.Tensor) -> tf.Tensor:
    """`[T, N, n]` to `[T * N, n]`."""
    return tf.reshape(values, [-1, values.shape[-1]])
