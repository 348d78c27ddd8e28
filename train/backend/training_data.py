"""The training split as a sequence of steps, each of one batch or several."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from train.backend.batches import batch_dataset
from train.backend.step import Batch
from train.engine.buckets import default_boundaries, make_batches
from train.engine.settings import LoopSettings

__all__ = ["TrainingData"]


class TrainingData:
    """Deals the training sequences to steps; which step has which is a function of the seed.

    Attributes:
      lengths: Lengths of the sequences, int32 `[N]`.
      steps_per_epoch: Steps in which every sequence occurs once.
    """

    def __init__(self, config: LoopSettings, sequences: Sequence[np.ndarray]) -> None:
        """Chooses the length buckets.

        Args:
          config: Settings of the run.
          sequences: Arrays `[T, ...]`.
        """
        self._config = config
        self._sequences = sequences
        self.lengths = np.array([len(x) for x in sequences], np.int32)
        self._boundaries = default_boundaries(self.lengths)
        self.steps_per_epoch = math.ceil(len(self._batches(0)) / config.accumulation_steps)

    @property
    def num_lengths(self) -> int:
        """How many lengths batches are padded to, at most."""
        return len(self._boundaries)

    def rest_of_epoch(self, step: int) -> Iterator[list[Batch]]:
        """Yields the batches of each step, from `step` to the end of its epoch."""
        epoch, done = divmod(step, self.steps_per_epoch)
        size = self._config.accumulation_steps
        dataset = batch_dataset(
            self._sequences,
            self._batches(epoch),
            self._config.batch_size,
            self._boundaries,
            start=done * size,
            max_steps=self._config.max_batch_steps,
        ).map(lambda x, lengths, index: (x, lengths))
        batches = iter(dataset)
        while group := list(itertools.islice(batches, size)):
            yield group

    def _batches(self, epoch: int) -> list[np.ndarray]:
        config = self._config
        return make_batches(
            self.lengths,
            config.batch_size,
            self._boundaries,
            config.seed,
            epoch,
            config.max_batch_steps,
        )
