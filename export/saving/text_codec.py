"""Text as strings: conversion between characters and ids as graph operations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from bijectors.masks import mask_steps
from export.saving.codec import Encoded, fitting
from tf_latentflow.vocabulary import FIRST_CHARACTER_ID, PADDING_ID, REPLACEMENT, UNKNOWN_ID

__all__ = ["TextCodec", "write_vocabulary"]


def write_vocabulary(path: Path, characters: Sequence[str]) -> None:
    """Writes the file that `TextCodec` reads: code point, id and name of a character per line.

    Code points are used because a line cannot contain a line feed or tab as a character.
    """
    rows = enumerate(characters, start=FIRST_CHARACTER_ID)
    lines = (f"{ord(character)}\t{i}\t{ascii(character)}\n" for i, character in rows)
    path.write_text("".join(lines), encoding="ascii")


class TextCodec(tf.Module):
    """The mapping of `Vocabulary` for strings in UTF-8, by two tables from one asset.

    Characters outside the vocabulary become the unknown symbol; bytes that are not UTF-8 are read
    as U+FFFD. The padding symbol, which the emitter may draw, is written as U+FFFD like the unknown
    one.

    Args:
      vocabulary_file: File written by `write_vocabulary`.
      max_length: Maximum length of a text that gets ids.
    """

    field = "text"

    def __init__(self, vocabulary_file: Path, max_length: int) -> None:
        super().__init__(name="text_codec")
        self._max_length = max_length
        self._asset = tf.saved_model.Asset(str(vocabulary_file))
        self._ids = self._table(0, 1, UNKNOWN_ID)
        self._code_points = self._table(1, 0, ord(REPLACEMENT))

    def _table(self, key: int, value: int, default: int) -> tf.lookup.StaticHashTable:
        columns = (tf.int64, key, tf.int64, value)
        return tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(self._asset.asset_path, *columns), default
        )

    def encode(self, texts: tf.Tensor) -> Encoded:
        """String `[B]` to ids int32 `[B, T]`; T is the longest text that fits, at least 1."""
        characters = tf.strings.unicode_decode(texts, "UTF-8")
        ids = tf.ragged.map_flat_values(self._ids.lookup, tf.cast(characters, tf.int64))
        counts = tf.cast(ids.row_lengths(), tf.int32)
        lengths, num_steps = fitting(counts, self._max_length)
        x = tf.cast(ids.to_tensor(PADDING_ID, shape=[None, self._max_length]), tf.int32)
        x = mask_steps(x, lengths, event_ndims=0)[:, :num_steps]  # Padding is 0.
        unknown = tf.ragged.map_flat_values(lambda i: tf.cast(i == UNKNOWN_ID, tf.int32), ids)
        return Encoded(x, lengths, counts, tf.reduce_sum(unknown, axis=1))

    def decode(self, x: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """Ids int32 `[B, T]` and lengths int32 `[B]` to string `[B]`."""
        code_points = self._code_points.lookup(tf.cast(x, tf.int64))
        rows = tf.RaggedTensor.from_tensor(tf.cast(code_points, tf.int32), lengths=lengths)
        return tf.strings.unicode_encode(rows, "UTF-8")
