"""Position codes: the distance of a step from the start and from the end of its sequence."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from tf_latentflow.layer import Layer

__all__ = ["PositionTable", "Positions"]


class Positions(NamedTuple):
    """Distances of each step from both ends, as row numbers of a `PositionTable`.

    Attributes:
      lengths: int32 `[B]`, of the sequences.
      from_start: int32 `[1, T]`, `t`.
      to_end: int32 `[B, T]`, `length - 1 - t`, and 0 beyond the length.
    """

    lengths: tf.Tensor
    from_start: tf.Tensor
    to_end: tf.Tensor

    @classmethod
    def of(
        cls, lengths: tf.Tensor, num_steps: int | tf.Tensor, limit: int | tf.Tensor
    ) -> Positions:
        """Positions of `num_steps` steps in sequences of `lengths`, int32 `[B]`.

        `limit` is the number of rows in use: a position beyond them reads the last of these.
        """
        steps = tf.range(num_steps)[None]
        last = tf.cast(limit, tf.int32) - 1
        to_end = tf.maximum(lengths[:, None] - 1 - steps, 0)
        return cls(lengths, tf.minimum(steps, last), tf.minimum(to_end, last))

    def reversed(self) -> Positions:
        """The positions of the sequences read backwards, within their lengths."""
        return Positions(self.lengths, self.to_end, self.from_start)

    def time_major(self) -> Positions:
        """The positions with time as the first axis, for codes `[T, B, units]`."""
        return Positions(self.lengths, tf.transpose(self.from_start), tf.transpose(self.to_end))


class PositionTable(Layer):
    """`start[t] + end[length - 1 - t]`: two one-hot codes times a matrix, as two row look-ups.

    Args:
      units: Size of a row.
      max_length: Number of rows of each table.
      init: Half-width of the uniform initialisation.
      name: Name of the layer.
    """

    def __init__(
        self, units: int, max_length: int, init: float = 0.05, name: str | None = None
    ) -> None:
        super().__init__(name=name)
        self.start = self._add_uniform("start", (max_length, units), init)
        self.end = self._add_uniform("end", (max_length, units), init)
        self.built = True

    def call(self, positions: Positions) -> tf.Tensor:
        """`[B, T, units]`, or `[T, B, units]` for positions that are `time_major`."""
        return tf.gather(self.start, positions.from_start) + tf.gather(self.end, positions.to_end)
