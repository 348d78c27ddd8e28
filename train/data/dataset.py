"""What a dataset is to the programs, whatever it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from tf_latentflow import ModelConfig

__all__ = ["Dataset", "Encoding", "Undivided"]


class Encoding(Protocol):
    """What a model reads of sequences of a kind: of sentences, or of piano rolls."""

    def encode(self, config: ModelConfig, sequences: Sequence[Any]) -> Sequence[np.ndarray]:
        """Returns those sequences that a model gives a probability, as arrays `[T, ...]`."""

    def counts(self, sequences: Sequence[Any], encoded: Sequence[np.ndarray]) -> dict[str, int]:
        """Returns what else `results.json` says of sequences and what `encode` made of them."""

    def remark(self, config: ModelConfig, sequences: Sequence[Any]) -> str | None:
        """Returns what a user should know of sequences that a model is to read, if anything."""


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
        """Returns what the dataset holds, and what of it was left out."""

    def model_fields(self) -> dict[str, Any]:
        """Returns the fields of `ModelConfig` that follow from the dataset."""


class Undivided(Encoding, Protocol):
    """A user's own data that has no splits, to be evaluated as a whole.

    Attributes:
      name: The data as the user named it.
      sequences: All sentences, or piano rolls.
    """

    name: str
    sequences: Sequence[Any]

    def describe(self) -> str:
        """Returns what the data holds, and what of it was left out."""
