"""The serial core of an LSTM: everything that cannot be done for all steps at once.

    i, f, o, g = split(x[t] + b + h[t-1] R)
    c[t] = sigmoid(f) c[t-1] + sigmoid(i) tanh(g);  h[t] = sigmoid(o) tanh(c[t])

`x[t]`, the input product, is made for all steps beforehand.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from bijectors import Execution
from bijectors.loops import scan

__all__ = ["lstm_recurrence", "lstm_step"]

_State = tuple[tf.Tensor, tf.Tensor]  # h and c, `[N, U]` each


class _Steps(NamedTuple):
    """What is computed at every step, `[T, N, U]` each."""

    h: tf.Tensor
    c: tf.Tensor
    tanh_c: tf.Tensor
    i: tf.Tensor
    f: tf.Tensor
    o: tf.Tensor
    g: tf.Tensor


def lstm_step(
    projected: tf.Tensor,
    bias: tf.Tensor,
    recurrent: tf.Tensor,
    h: tf.Tensor,
    c: tf.Tensor,
    execution: Execution,
) -> _State:
    """One step: `projected [..., 4U]`, `h, c [..., U]`, and weights, to the new `h, c`."""
    return _advance(projected + bias + execution.product(h, recurrent), c)[:2]


def lstm_recurrence(
    projected: tf.Tensor,
    bias: tf.Tensor,
    recurrent: tf.Tensor,
    h: tf.Tensor,
    c: tf.Tensor,
    execution: Execution,
) -> tuple[tf.Tensor, _State]:
    """Runs one direction of an LSTM layer over T steps.

    Its products are too small for two cores. Recurrences that do not depend on each other, such as
    the two directions of a layer, run at the same time. The bias is added in the loop, where it
    costs nothing. The gradient of `recurrent` is one product after the backward loop.

    Args:
      projected: `[T, N, 4U]`, the input products, gates in the order i, f, o, g.
      bias: `[4U]`.
      recurrent: `[U, 4U]`.
      h: `[N, U]`, before the first step.
      c: `[N, U]`, likewise.
      execution: How it is computed.

    Returns:
      `h` of every step, `[T, N, U]`, and `h` and `c` after the last step.
    """
    hs, h, c = _recurrence(execution)(projected, bias, recurrent, h, c)
    return hs, (h, c)


@functools.cache
def _recurrence(execution: Execution) -> Callable[..., tuple[tf.Tensor, ...]]:
    forward, backward = _COMPILED if execution.compile_loops else _LOOPS
    operand = execution.operand

    @tf.custom_gradient
    def recurrence(
        projected: tf.Tensor, bias: tf.Tensor, recurrent: tf.Tensor, h: tf.Tensor, c: tf.Tensor
    ) -> tuple[tuple[tf.Tensor, ...], object]:
        weights = operand(recurrent)
        last, steps = forward(projected, bias, weights, (h, c))

        def grad(d_hs: tf.Tensor, *d_last: tf.Tensor) -> tuple[tf.Tensor, ...]:
            # Transposed here, once: inside the loop it would cost as much as the product.
            transposed = tf.linalg.matrix_transpose(weights)
            d_first, d_bias, d_projected = backward(
                d_hs, d_last, steps, _before(c, steps.c), transposed
            )
            h_before, d_gates = (operand(_rows(a)) for a in (_before(h, steps.h), d_projected))
            d_recurrent = tf.matmul(h_before, d_gates, transpose_a=True)
            return d_projected, d_bias, tf.cast(d_recurrent, recurrent.dtype), *d_first

        return (steps.h, *last), grad

    return recurrence


def _forward(
    projected: tf.Tensor, bias: tf.Tensor, weights: tf.Tensor, first: _State
) -> tuple[_State, _Steps]:
    """The state after the last step, and every step."""

    def step(state: _State, inputs: tf.Tensor) -> tuple[_State, _Steps]:
        h, c = state
        new = _Steps(*_advance(inputs + bias + _times(h, weights), c))
        return (new.h, new.c), new

    h = first[0]
    spec = _Steps(*[tf.TensorSpec(h.shape, h.dtype)] * len(_Steps._fields))
    return scan(step, first, projected, spec)


def _backward(
    d_hs: tf.Tensor,
    d_last: _State,
    steps: _Steps,
    c_before: tf.Tensor,
    transposed: tf.Tensor,
) -> tuple[_State, tf.Tensor, tf.Tensor]:
    """Gradients of the state before the first step, of the bias, and of the gates of every step."""
    ones = tf.ones([1, tf.shape(d_hs)[1]], d_hs.dtype)

    def step(carry: tuple[_State, tf.Tensor], inputs: tuple) -> tuple[tuple, tf.Tensor]:
        (d_h, d_c), d_bias = carry
        d_out, (_, _, tanh_c, i, f, o, g), before = inputs
        d_h += d_out
        d_c += d_h * o * (1 - tanh_c * tanh_c)
        d_i, d_f = d_c * g * i * (1 - i), d_c * before * f * (1 - f)
        d_o, d_g = d_h * tanh_c * o * (1 - o), d_c * i * (1 - g * g)
        d_gates = tf.concat([d_i, d_f, d_o, d_g], axis=-1)
        d_bias += tf.matmul(ones, d_gates)  # XLA does not vectorise a sum that it adds in place.
        return ((_times(d_gates, transposed), d_c * f), d_bias), d_gates

    size = transposed.shape[0]
    spec = tf.TensorSpec([*d_hs.shape[1:-1], size], d_hs.dtype)
    carry = d_last, tf.zeros([1, size], d_hs.dtype)
    (d_first, d_bias), d_gates = scan(step, carry, (d_hs, steps, c_before), spec, reverse=True)
    return d_first, tf.reshape(d_bias, [size]), d_gates


def _advance(gates: tf.Tensor, c: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """From the gates before their activation: the fields of `_Steps`, in their order."""
    i, f, o, g = tf.split(gates, 4, axis=-1)
    i, f, o, g = tf.sigmoid(i), tf.sigmoid(f), tf.sigmoid(o), tf.tanh(g)
    c = f * c + i * g
    tanh_c = tf.tanh(c)
    return o * tanh_c, c, tanh_c, i, f, o, g


_LOOPS = (_forward, _backward)
# One function each, so that layers of the same sizes share what is compiled.
_COMPILED = tuple(tf.function(loop, jit_compile=True, autograph=False) for loop in _LOOPS)


def _times(values: tf.Tensor, operand: tf.Tensor) -> tf.Tensor:
    """A product in the dtype of the operand."""
    return tf.cast(tf.matmul(tf.cast(values, operand.dtype), operand), values.dtype)


def _before(first: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """What every step of `values [T, N, U]` starts from, `first [N, U]` at the first."""
    return tf.concat([first[None], values], axis=0)[:-1]


def _rows(values: tf.Tensor) -> tf.Tensor:
    """`[T, N, n]` to `[T * N, n]`."""
    return tf.reshape(values, [-1, values.shape[-1]])
