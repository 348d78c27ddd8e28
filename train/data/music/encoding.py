"""What sets of piano rolls share: which a model can read, and what is said of the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tf_latentflow import ModelConfig
from train.data.store.stored import Stored

__all__ = ["MusicEncoding", "with_left_out"]


class MusicEncoding:
    """A `train.data.dataset.Encoding` of piano rolls."""

    def encode(self, config: ModelConfig, sequences: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        """Returns the pieces that are not too long for a model."""
        if isinstance(sequences, Stored):
            return sequences.up_to(config.max_length)
        return [roll for roll in sequences if len(roll) <= config.max_length]

    def counts(
        self, sequences: Sequence[np.ndarray], encoded: Sequence[np.ndarray]
    ) -> dict[str, int]:
        """Returns the number of pieces that are too long for the model, if any are."""
        too_long = len(sequences) - len(encoded)
        return {"num_too_long": too_long} if too_long else {}

    def remark(self, config: ModelConfig, sequences: Sequence[np.ndarray]) -> None:
        """Returns None: every model knows all notes."""


def with_left_out(line: str, left_out: Sequence[str]) -> str:
    """Returns a line on a set, and one for each piece that was left out."""
    if left_out:
        line += f"\n{len(left_out)} left out, wholly or in part:"
    return "\n  ".join([line, *left_out])
