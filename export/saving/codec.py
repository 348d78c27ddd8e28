"""What turns the strings of a request into sequences, and sequences into strings."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import tensorflow as tf

__all__ = ["Codec", "Encoded", "fitting"]


class Encoded(NamedTuple):
    """Sequences of a batch of strings.

    Attributes:
      x: int32 `[B, T, *event_shape]`, T at least 1, 0 beyond the lengths.
      lengths: int32 `[B]`; 0 where the string is empty, too long or malformed.
      counts: int32 `[B]`, characters or steps of the string, however long; 0 where malformed.
      num_unknown: int32 `[B]`, how many of them are outside the vocabulary.
    """

    x: tf.Tensor
    lengths: tf.Tensor
    counts: tf.Tensor
    num_unknown: tf.Tensor


class Codec(Protocol):
    """Strings of a kind of data, as operations of a graph.

    Attributes:
      field: Name of such a string in requests and answers.
    """

    field: str

    def encode(self, strings: tf.Tensor) -> Encoded:
        """String `[B]` to sequences."""

    def decode(self, x: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """int32 `[B, T, *event_shape]` and lengths int32 `[B]` to string `[B]`."""


def fitting(counts: tf.Tensor, max_length: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Lengths int32 `[B]`, 0 for those above `max_length`, and T: the longest, at least 1.

    A sequence of one step at least spares every loop the case of none, also where B is 0.
    """
    lengths = tf.where(counts <= max_length, counts, tf.zeros_like(counts))
    return lengths, tf.maximum(tf.reduce_max(lengths), 1)
