"""Converts numbers to strings of bytes and back, inside a graph.

With strings, rows of different lengths need no padding. Float32 numbers are little-endian: in
NumPy, `np.asarray(x, "<f4").tobytes()` and `np.frombuffer(string, "<f4")`; in a browser, a
`Float32Array`.
"""

from __future__ import annotations

import tensorflow as tf

from bijectors.masks import mask_steps

__all__ = ["FLOAT_BYTES", "join_bytes", "pack_floats", "unpack_floats"]

FLOAT_BYTES = 4


def join_bytes(values: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """Converts bytes `[B, T, n]`, integers from 0 to 255, to strings `[B]` of `n` bytes per step.

    Args:
      values: The bytes.
      lengths: Number of steps of each row, int32 `[B]`.
    """
    # No core operation converts numbers to bytes, so a table of the 256 one-byte strings is used.
    table = tf.constant([bytes([i]) for i in range(256)])
    data = mask_steps(tf.gather(table, tf.cast(values, tf.int32)), lengths)
    shape = tf.shape(data)
    return tf.strings.reduce_join(tf.reshape(data, [shape[0], shape[1] * shape[2]]), axis=1)


def pack_floats(values: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """Converts numbers `[B, T, H]` to strings `[B]`, `4 H` bytes for each step below a length."""
    shape = tf.shape(values)
    data = tf.bitcast(tf.cast(values, tf.float32), tf.uint8)  # [B, T, H, 4]
    return join_bytes(tf.reshape(data, [shape[0], shape[1], FLOAT_BYTES * shape[2]]), lengths)


def unpack_floats(strings: tf.Tensor, size: int, num_steps: tf.Tensor) -> tf.Tensor:
    """Converts strings `[B]` to float32 `[B, T, H]`, with zeros beyond the end of a string.

    Args:
      strings: Strings of `4 H` bytes per step.
      size: H.
      num_steps: T; further steps are left out.
    """
    width = num_steps * size * FLOAT_BYTES
    values = tf.io.decode_raw(strings, tf.float32, fixed_length=width)
    return tf.reshape(values, [-1, num_steps, size])
