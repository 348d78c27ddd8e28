"""Piano rolls as strings, eight notes per byte, as graph operations."""

from __future__ import annotations

import tensorflow as tf

from bijectors.masks import mask_steps
from export.saving.byte_strings import join_bytes
from export.saving.codec import Encoded, fitting

__all__ = ["RollCodec"]


class RollCodec(tf.Module):
    """Rolls of N notes as strings of `ceil(N / 8)` bytes per step; the first note is the top bit.

    `pack_roll` and `unpack_roll` of `train.data.music.rolls` do the same for the 88 notes of a
    piano. A string is malformed if its length is not a multiple of the bytes per step.

    Args:
      num_notes: N.
      max_length: Maximum length of a roll, in steps.
    """

    field = "roll_bytes"

    def __init__(self, num_notes: int, max_length: int) -> None:
        super().__init__(name="roll_codec")
        self._num_notes = num_notes
        self.step_bytes = -(-num_notes // 8)
        self._max_length = max_length

    def encode(self, rolls: tf.Tensor) -> Encoded:
        """Converts strings `[B]` to rolls int32 `[B, T, N]`; T is the longest that fits, or 1."""
        num_bytes = tf.strings.length(rolls)
        whole = tf.equal(num_bytes % self.step_bytes, 0)
        counts = tf.where(whole, num_bytes // self.step_bytes, 0)
        lengths, num_steps = fitting(counts, self._max_length)
        width = num_steps * self.step_bytes
        data = tf.io.decode_raw(rolls, tf.uint8, fixed_length=width)
        data = tf.reshape(data, [-1, num_steps, self.step_bytes, 1])
        bits = tf.bitwise.bitwise_and(tf.bitwise.right_shift(data, _shifts()), 1)
        bits = tf.reshape(bits, [-1, num_steps, 8 * self.step_bytes])[..., : self._num_notes]
        x = mask_steps(tf.cast(bits, tf.int32), lengths)
        return Encoded(x, lengths, counts, tf.zeros_like(counts))

    def decode(self, x: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """Converts rolls int32 `[B, T, N]` with lengths int32 `[B]` to strings `[B]`."""
        num_steps = tf.shape(x)[1]
        missing = 8 * self.step_bytes - self._num_notes
        bits = tf.pad(x, [[0, 0], [0, 0], [0, missing]])
        bits = tf.reshape(bits, [-1, num_steps, self.step_bytes, 8])
        weights = tf.bitwise.left_shift(1, tf.cast(_shifts(), tf.int32))
        return join_bytes(tf.reduce_sum(bits * weights, axis=-1), lengths)


def _shifts() -> tf.Tensor:
    return tf.constant([7, 6, 5, 4, 3, 2, 1, 0], tf.uint8)
