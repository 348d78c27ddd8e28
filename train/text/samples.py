"""What the programs know about text: encoding, samples, and words that were seen in training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import keras
import numpy as np
import tensorflow as tf

from tf_latentflow.vocabulary import PADDING_ID, UNKNOWN_ID, Vocabulary
from train.board import Board

__all__ = ["draw_samples", "encode_all", "share_of_known_words", "text_show"]

_SAMPLE_BATCH = 256
_SHOWN = 5


def encode_all(texts: Iterable[str], vocabulary: Vocabulary) -> list[np.ndarray]:
    """Returns the ids of each text, int32 `[T]`."""
    return [vocabulary.encode(text) for text in texts]


def draw_samples(
    model: keras.Model,
    vocabulary: Vocabulary,
    n: int,
    *,
    seed: int,
    temperature: float = 1.0,
    length: int | None = None,
) -> list[str]:
    """Draws texts from a model.

    Args:
      model: A model with `sample` and `length_model`.
      vocabulary: Of the model.
      n: Number of texts.
      seed: The same seed gives the same texts.
      temperature: 0 takes the most probable symbol everywhere, 1 is the model's distribution.
      length: Characters of each text, or None to draw it from p(T).
    """
    if length is None:
        lengths = model.length_model.sample(n, tf.constant([seed, 0], tf.int32)).numpy()
    else:
        lengths = np.full([n], length, np.int32)
    texts = []
    for i in range(0, n, _SAMPLE_BATCH):
        part = lengths[i : i + _SAMPLE_BATCH]
        ids = model.sample(
            tf.constant(part), temperature, tf.constant([seed, 1 + i // _SAMPLE_BATCH], tf.int32)
        ).numpy()
        # Padding is a symbol like any other to the emitter; within a text it is shown as unknown.
        ids = np.where(ids == PADDING_ID, UNKNOWN_ID, ids)
        texts += [vocabulary.decode(row[:size]) for row, size in zip(ids, part, strict=True)]
    return texts


def share_of_known_words(samples: Sequence[str], train: Iterable[str]) -> float:
    """Returns how many of the whitespace-separated tokens of `samples` occur in `train`, 0 to 1."""
    known = {word for text in train for word in text.split()}
    words = [word for text in samples for word in text.split()]
    return sum(word in known for word in words) / len(words) if words else 0.0


def text_show(
    valid: Sequence[np.ndarray], vocabulary: Vocabulary, seed: int
) -> Callable[[keras.Model, Board, int], None]:
    """Returns what writes samples and reconstructions of a model to TensorBoard.

    Args:
      valid: Sequences of which the first few are reconstructed, where the model can do so.
      vocabulary: Of the model.
      seed: The same for every call, so that what changes is the model.
    """
    shown = list(valid[:_SHOWN])
    lengths = np.array([len(x) for x in shown], np.int32)
    x = np.zeros([len(shown), max(lengths)], np.int32)
    for row, sequence in zip(x, shown, strict=True):
        row[: len(sequence)] = sequence

    def show(model: keras.Model, board: Board, step: int) -> None:
        samples = draw_samples(model, vocabulary, _SHOWN, seed=seed)
        board.text("valid", step, "samples", ["sample"], [[text] for text in samples])
        if hasattr(model, "reconstruct"):
            again = model.reconstruct(
                tf.constant(x), tf.constant(lengths), tf.constant([seed, 0], tf.int32)
            ).numpy()
            rows = [
                [vocabulary.decode(a[:t]), vocabulary.decode(b[:t])]
                for a, b, t in zip(x, again, lengths, strict=True)
            ]
            board.text("valid", step, "reconstructions", ["sentence", "reconstruction"], rows)

    return show
