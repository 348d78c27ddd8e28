"""Encodes sentences for a model, and counts those that it cannot read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tf_latentflow import ModelConfig
from tf_latentflow.vocabulary import UNKNOWN_ID, Vocabulary
from train.data.store.stored import Stored
from train.data.text.unicode_form import form_remark

__all__ = ["TextEncoding"]


class TextEncoding:
    """A `train.data.dataset.Encoding` of sentences."""

    def encode(self, config: ModelConfig, sequences: Sequence[str]) -> Sequence[np.ndarray]:
        """Returns the sentences that are not too long for a model, as ids, int32 `[T]` each."""
        vocabulary = Vocabulary(config.vocabulary)
        if isinstance(sequences, Stored):
            return sequences.up_to(config.max_length).map(vocabulary.encode)
        return [vocabulary.encode(text) for text in sequences if len(text) <= config.max_length]

    def counts(self, sequences: Sequence[str], encoded: Sequence[np.ndarray]) -> dict[str, int]:
        """Returns the numbers of unknown characters and of sentences that are too long."""
        num_unknown = sum(int((x == UNKNOWN_ID).sum()) for x in encoded)
        too_long = len(sequences) - len(encoded)
        return {"num_unknown": num_unknown, **({"num_too_long": too_long} if too_long else {})}

    def remark(self, config: ModelConfig, sequences: Sequence[str]) -> str | None:
        """Returns a remark if the text is not in the Unicode form that a model knows."""
        # Composing marks takes time that grows with the square of a sentence.
        read = (text for text in sequences if len(text) <= config.max_length)
        return form_remark(config.vocabulary, read)
