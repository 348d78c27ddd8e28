"""The serial core of an LSTM: everything that cannot be done for all steps at once.

    i, f, o, g = split(x[t] + h[t-1] R)
    c[t] = sigmoid(f) c[t-1] + sigmoid(i) tanh(g);  h[t] = sigmoid(o) tanh(c[t])

`x[t]`, the input product with its bias, is made for all steps beforehand by one product.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from bijectors import batch_product, loops_are_compiled, product, product_operand, scan

__all__ = ["lstm_recurrence", "lstm_step"]


def lstm_step(
    projected: tf.Tensor, recurrent: tf.Tensor, h: tf.Tensor, c: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """One step: `projected [..., 4U]`, `recurrent [U, 4U]`, `h, c [..., U]` to the new `h, c`."""
    return _advance(projected + product(h, recurrent), c)[:2]


def lstm_recurrence(
    projected: tf.Tensor, recurrent: tf.Tensor, h0: tf.Tensor, c0: tf.Tensor
) -> tf.Tensor:
    """Runs D independent LSTM directions over T steps in one loop.

    The gradient for `recurrent` is one product after the backward loop.

    Args:
      projected: `[T, D, N, 4U]`, input products and biases, gates in the order i, f, o, g.
      recurrent: `[D, U, 4U]`.
      h0: `[D, N, U]`.
      c0: `[D, N, U]`.

    Returns:
      `h` of every step, `[T, D, N, U]`.
    """
    if recurrent.shape[0] > 1:
        return _recurrence(projected, recurrent, h0, c0)
    # A product of matrices is several times faster than one of stacks that hold a single matrix.
    # Not by `[0]`, whose gradient fills an array with zeros first.
    squeezed = (tf.squeeze(projected, 1), *(tf.squeeze(a, 0) for a in (recurrent, h0, c0)))
    return tf.expand_dims(_recurrence(*squeezed), 1)


@tf.custom_gradient
def _recurrence(
    projected: tf.Tensor, recurrent: tf.Tensor, h0: tf.Tensor, c0: tf.Tensor
) -> tuple[tf.Tensor, object]:
    """`lstm_recurrence`, the axis D present in all arguments or in none."""
    operand = product_operand(recurrent)
    hs, cs, *gates = _loop(_forward)(projected, operand, h0, c0)

    def grad(d_hs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        c_before = tf.concat([c0[None], cs[:-1]], axis=0)
        # Transposed here, once: inside the loop it would cost as much as the product.
        transposed = tf.linalg.matrix_transpose(operand)
        d_h0, d_c0, d_projected = _loop(_backward)(d_hs, *gates, cs, c_before, transposed)
        h_before = tf.concat([h0[None], hs[:-1]], axis=0)
        d_recurrent = batch_product(_rows(h_before), _rows(d_projected), transpose_a=True)
        return d_projected, d_recurrent, d_h0, d_c0

    return hs, grad


def _forward(
    projected: tf.Tensor, recurrent: tf.Tensor, h0: tf.Tensor, c0: tf.Tensor
) -> tuple[tf.Tensor, ...]:
    """`h`, `c` and the gates `i, f, o, g` of every step, each like `h` with an axis T."""
    spec = tf.TensorSpec(h0.shape, h0.dtype)

    def step(
        state: tuple[tf.Tensor, tf.Tensor], inputs: tf.Tensor
    ) -> tuple[tuple[tf.Tensor, tf.Tensor], tuple[tf.Tensor, ...]]:
        h, c = state
        outputs = _advance(inputs + _times(h, recurrent), c)
        return outputs[:2], outputs

    return scan(step, (h0, c0), projected, (spec,) * 6)[1]


def _backward(
    d_hs: tf.Tensor,
    i: tf.Tensor,
    f: tf.Tensor,
    o: tf.Tensor,
    g: tf.Tensor,
    cs: tf.Tensor,
    c_before: tf.Tensor,
    transposed: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Gradients of the first state, and of the gates of every step before their activation."""

    def step(
        state: tuple[tf.Tensor, tf.Tensor], inputs: tuple[tf.Tensor, ...]
    ) -> tuple[tuple[tf.Tensor, tf.Tensor], tf.Tensor]:
        d_h, d_c = state
        d_out, i, f, o, g, c, c_before = inputs
        tanh_c = tf.tanh(c)
        d_h += d_out
        d_c += d_h * o * (1 - tanh_c * tanh_c)
        d_i, d_f = d_c * g * i * (1 - i), d_c * c_before * f * (1 - f)
        d_o, d_g = d_h * tanh_c * o * (1 - o), d_c * i * (1 - g * g)
        d_gates = tf.concat([d_i, d_f, d_o, d_g], axis=-1)
        return (_times(d_gates, transposed), d_c * f), d_gates

    zeros = tf.zeros(tf.shape(d_hs)[1:], d_hs.dtype)
    zeros.set_shape(d_hs.shape[1:])
    spec = tf.TensorSpec([*d_hs.shape[1:-1], transposed.shape[-2]], d_hs.dtype)
    inputs = (d_hs, i, f, o, g, cs, c_before)
    (d_h0, d_c0), d_gates = scan(step, (zeros, zeros), inputs, spec, reverse=True)
    return d_h0, d_c0, d_gates


def _advance(gates: tf.Tensor, c: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """From the gates before their activation: the new `h` and `c`, and `i, f, o, g`."""
    i, f, o, g = tf.split(gates, 4, axis=-1)
    i, f, o, g = tf.sigmoid(i), tf.sigmoid(f), tf.sigmoid(o), tf.tanh(g)
    c = f * c + i * g
    return o * tf.tanh(c), c, i, f, o, g


# One function each, so that layers of the same sizes share what is compiled.
_COMPILED = {
    loop: tf.function(loop, jit_compile=True, autograph=False) for loop in (_forward, _backward)
}


def _loop(loop: Callable[..., tuple[tf.Tensor, ...]]) -> Callable[..., tuple[tf.Tensor, ...]]:
    return _COMPILED[loop] if loops_are_compiled() else loop


def _times(values: tf.Tensor, operand: tf.Tensor) -> tf.Tensor:
    """A product in the dtype of the operand: what is compiled must not depend on a context."""
    return tf.cast(tf.matmul(tf.cast(values, operand.dtype), operand), values.dtype)


def _rows(values: tf.Tensor) -> tf.Tensor:
    """`[T, D, N, n]` to `[D, T * N, n]`, `[T, N, n]` to `[T * N, n]`."""
    if values.shape.rank == 4:
        values = tf.transpose(values, [1, 0, 2, 3])
    return tf.reshape(values, [*values.shape[:-3], -1, values.shape[-1]])
