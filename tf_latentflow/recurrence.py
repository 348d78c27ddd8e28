"""The serial core of an LSTM: everything that cannot be done for all steps at once.

    i, f, o, g = split(x[t] + h[t-1] R)
    c[t] = sigmoid(f) c[t-1] + sigmoid(i) tanh(g);  h[t] = sigmoid(o) tanh(c[t])

`x[t]`, the input product with its bias, is made for all steps beforehand by one product.
"""

from __future__ import annotations

import tensorflow as tf

from bijectors import product, scan

__all__ = ["lstm_recurrence", "lstm_step"]


def lstm_step(
    projected: tf.Tensor, recurrent: tf.Tensor, h: tf.Tensor, c: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """One step: `projected [..., 4U]`, `recurrent [U, 4U]`, `h, c [..., U]` to the new `h, c`."""
    return _advance(projected + product(h, recurrent), c)


def _advance(gates: tf.Tensor, c: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    i, f, o, g = _activate(gates)
    c = f * c + i * g
    return o * tf.tanh(c), c


def _activate(gates: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    units = gates.shape[-1] // 4
    i, f, o = tf.split(tf.sigmoid(gates[..., : 3 * units]), 3, axis=-1)
    return i, f, o, tf.tanh(gates[..., 3 * units :])


@tf.custom_gradient
def lstm_recurrence(
    projected: tf.Tensor, recurrent: tf.Tensor, h0: tf.Tensor, c0: tf.Tensor
) -> tuple[tf.Tensor, object]:
    """Runs D independent LSTM directions over T steps in one loop.

    The gradient does for all steps at once what need not wait for the backward loop: the factors of
    every gate before it, and the product for `recurrent` after it.

    Args:
      projected: `[T, D, N, 4U]`, input products and biases, gates in the order i, f, o, g.
      recurrent: `[D, U, 4U]`.
      h0: `[D, N, U]`.
      c0: `[D, N, U]`.

    Returns:
      `h` of every step, `[T, D, N, U]`.
    """
    spec = tf.TensorSpec(h0.shape, h0.dtype)
    gate_spec = tf.TensorSpec(projected.shape[1:], projected.dtype)

    def forward(
        state: tuple[tf.Tensor, tf.Tensor], inputs: tf.Tensor
    ) -> tuple[tuple[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor, tf.Tensor]]:
        h, c = state
        gates = inputs + tf.matmul(h, recurrent)
        h, c = _advance(gates, c)
        return (h, c), (h, c, gates)

    _, (hs, cs, gates) = scan(forward, (h0, c0), projected, (spec, spec, gate_spec))

    def grad(d_hs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        i, f, o, g = _activate(gates)
        c_before = tf.concat([c0[None], cs[:-1]], axis=0)
        tanh_c = tf.tanh(cs)
        # d_gates = [d_c, d_c, d_h, d_c] * factors
        factors = tf.concat(
            [g * i * (1 - i), c_before * f * (1 - f), tanh_c * o * (1 - o), i * (1 - g * g)],
            axis=-1,
        )
        h_to_c = o * (1 - tanh_c * tanh_c)

        def backward(
            state: tuple[tf.Tensor, tf.Tensor], inputs: tuple[tf.Tensor, ...]
        ) -> tuple[tuple[tf.Tensor, tf.Tensor], tf.Tensor]:
            d_h, d_c = state
            d_out, factors, h_to_c, f = inputs
            d_h += d_out
            d_c += d_h * h_to_c
            d_gates = tf.concat([d_c, d_c, d_h, d_c], axis=-1) * factors
            return (tf.matmul(d_gates, recurrent, transpose_b=True), d_c * f), d_gates

        zeros = (tf.zeros_like(h0), tf.zeros_like(c0))
        inputs = (d_hs, factors, h_to_c, f)
        (d_h0, d_c0), d_projected = scan(backward, zeros, inputs, gate_spec, reverse=True)
        h_before = tf.concat([h0[None], hs[:-1]], axis=0)
        d_recurrent = tf.einsum("tdnu,tdnv->duv", h_before, d_projected)
        return d_projected, d_recurrent, d_h0, d_c0

    return hs, grad
