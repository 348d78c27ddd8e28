"""The batches of each training step; needs only NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from train.engine.buckets import Batch, Buckets, Indexed, lengths_of, padded
from train.engine.settings import LoopSettings

__all__ = ["Call", "TrainingOrder", "Vary", "in_groups"]

Vary: TypeAlias = Callable[[np.ndarray, int, int], np.ndarray]
"""Changes a sequence to another of the same shape, given the epoch and the sequence's index."""


class Call(NamedTuple):
    """Consecutive steps made in one call.

    Attributes:
      first: Number of the first step.
      steps: The batches of each step.
    """

    first: int
    steps: list[list[Batch]]

    @property
    def bounds(self) -> set[int]:
        """The lengths that its batches are padded to."""
        return {batch.x.shape[1] for batches in self.steps for batch in batches}


class TrainingOrder:
    """Assigns the training sequences to steps, as a function of the seed.

    Attributes:
      boundaries: The lengths that batches are padded to.
      steps_per_epoch: Number of steps in which every sequence occurs once.
    """

    def __init__(
        self,
        config: LoopSettings,
        sequences: Sequence[np.ndarray],
        boundaries: Sequence[int],
        group: int = 1,
        vary: Vary | None = None,
    ) -> None:
        """Counts the steps.

        Args:
          config: Settings of the run.
          sequences: Arrays `[T, ...]`.
          boundaries: Boundaries of the length buckets.
          group: Maximum number of steps per call. All batches of a call have the same shape, so
            with more than one step, batches of a bucket follow each other and a step is one batch.
          vary: How sequences are changed whenever they are read; None to read them as they are.
        """
        if group > 1 and config.accumulation_steps > 1:
            raise ValueError("expected accumulation_steps 1 where a call makes several steps")
        self._buckets = Buckets(tuple(boundaries), config.batch_size, config.max_batch_steps)
        self._config = config
        self._sequences = sequences
        self._lengths = lengths_of(sequences)
        self._group = group
        self._vary = vary
        self._epoch: tuple[int, list[np.ndarray], np.ndarray] | None = None
        self.steps_per_epoch = math.ceil(len(self._of_epoch(0)[0]) / config.accumulation_steps)

    @property
    def boundaries(self) -> tuple[int, ...]:
        return self._buckets.boundaries

    def call_at(self, step: int, most: int) -> Call:
        """The steps that one call can make, starting at `step`, at most `most` of them."""
        epoch, done = divmod(step, self.steps_per_epoch)
        batches, bounds = self._of_epoch(epoch)
        size = self._config.accumulation_steps
        start = done * size
        if self._group == 1:
            count = 1
        else:
            ahead = bounds[start : start + min(most, self._group)]
            other = np.flatnonzero(ahead != ahead[0])
            count = int(other[0]) if other.size else len(ahead)
        end = min(start + count * size, len(batches))
        made = [self._batch(epoch, batches[i], int(bounds[i])) for i in range(start, end)]
        return Call(step, [made[i : i + size] for i in range(0, len(made), size)])

    def _batch(self, epoch: int, indices: np.ndarray, bound: int) -> Batch:
        sequences: Indexed = self._sequences
        if self._vary is not None:
            sequences = {i: self._vary(sequences[i], epoch, i) for i in indices.tolist()}
        return padded(sequences, indices, self._buckets.rows(bound), bound)

    def _of_epoch(self, epoch: int) -> tuple[list[np.ndarray], np.ndarray]:
        """The batches of an epoch, and the length to which each is padded."""
        if self._epoch is None or self._epoch[0] != epoch:
            seed = self._config.seed
            self._epoch = None  # Frees the last epoch before the next is made.
            batches = self._buckets.batches(self._lengths, seed, epoch)
            bounds = self._buckets.bounds_of(batches, self._lengths)
            if self._group > 1:
                order = in_groups(bounds, self._group, seed, epoch)
                batches, bounds = [batches[i] for i in order], bounds[order]
            self._epoch = epoch, batches, bounds
        return self._epoch[1:]


def in_groups(buckets: np.ndarray, size: int, seed: int, epoch: int) -> np.ndarray:
    """Returns an order in which up to `size` batches of a bucket follow each other.

    Args:
      buckets: Bucket of each batch, `[N]`.
      size: Maximum number of batches in a group.
      seed: With `epoch`, determines the order of the groups. Batches within a group keep theirs.
      epoch: Number of the epoch.
    """
    groups: list[np.ndarray] = []
    for bucket in np.unique(buckets):
        own = np.flatnonzero(buckets == bucket)
        groups += [own[i : i + size] for i in range(0, len(own), size)]
    order = np.random.default_rng([seed, epoch, 1]).permutation(len(groups))
    return np.concatenate([groups[i] for i in order])
