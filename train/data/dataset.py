"""The interface of a dataset, for any kind of data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from tf_latentflow import ModelConfig

__all__ = ["Dataset", "Encoding", "Undivided"]


class Encoding(Protocol):
    """Converts sequences of one kind, sentences or piano rolls, to the input of a model."""

    def encode(self, config: ModelConfig, sequences: Sequence[Any]) -> Sequence[np.ndarray]:
        """Returns the sequences that are not too long for a model, as arrays `[T, ...]`."""

    def counts(self, sequences: Sequence[Any], encoded: Sequence[np.ndarray]) -> dict[str, int]:
        """Returns counts for `results.json` from sequences and the result of `encode`."""

    def remark(self, config: ModelConfig, sequences: Sequence[Any]) -> str | None:
        """Returns a remark for the user about sequences that a model will read, or None."""


class Dataset(Encoding, Protocol):
    """Three splits of sequences.

    Attributes:
      name: The dataset as the user named it.
      train: Training sequences: sentences, or piano rolls.
      valid: Validation sequences.
      test: Test sequences.
      sha256: Digest over the three splits.
    """

    name: str
    train: Sequence[Any]
    valid: Sequence[Any]
    test: Sequence[Any]
    sha256: str

    def describe(self) -> str:
        """Returns a line on the content of the dataset and on what was left out."""

    def model_fields(self) -> dict[str, Any]:
        """Returns the fields of `ModelConfig` that follow from the dataset."""


class Undivided(Encoding, Protocol):
    """A user's own data without splits, to be evaluated as a whole.

    Attributes:
      name: The data as the user named it.
      sequences: All sentences, or piano rolls.
    """

    name: str
    sequences: Sequence[Any]

    def describe(self) -> str:
        """Returns a line on the content of the data and on what was left out."""
