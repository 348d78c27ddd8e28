"""The interface for converting strings of a request to sequences, and back."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import tensorflow as tf

__all__ = ["Codec", "Encoded", "fitting"]


class Encoded(NamedTuple):
    """Sequences of a batch of strings.

    Attributes:
      x: int32 `[B, T, *event_shape]`, T at least 1, 0 beyond the lengths.
      lengths: int32 `[B]`; 0 for strings that are empty, too long or malformed.
      counts: int32 `[B]`, number of characters or steps, even if too long; 0 if malformed.
      num_unknown: int32 `[B]`, number of characters outside the vocabulary.
    """

    x: tf.Tensor
    lengths: tf.Tensor
    counts: tf.Tensor
    num_unknown: tf.Tensor


class Codec(Protocol):
    """The strings of a kind of data, as operations of a graph.

    Attributes:
      field: Name of these strings in requests and answers.
    """

    field: str

    def encode(self, strings: tf.Tensor) -> Encoded:
        """Converts strings `[B]` to sequences."""

    def decode(self, x: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """Converts x int32 `[B, T, *event_shape]` with lengths int32 `[B]` to strings `[B]`."""


def fitting(counts: tf.Tensor, max_length: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Lengths int32 `[B]`, 0 for those above `max_length`, and T: the longest, at least 1.

    T is at least 1, even if B is 0, so that no loop has to handle zero steps.
    """
    lengths = tf.where(counts <= max_length, counts, tf.zeros_like(counts))
    return lengths, tf.maximum(tf.reduce_max(lengths), 1)
