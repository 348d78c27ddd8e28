"""In which order a bundle's training meets its batches; needs NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from train.engine.buckets import batch_rows, bounds_of, make_batches, padded

__all__ = ["BatchOrder", "Call", "in_groups"]


class Call(NamedTuple):
    """Steps that follow each other on batches of one bucket.

    Attributes:
      bucket: Its index.
      batches: Indices of the sequences of each step's batch.
    """

    bucket: int
    batches: list[np.ndarray]


class BatchOrder:
    """Deals the training sequences to steps, several steps in a row to one bucket.

    The order is a function of the settings and the epoch. It is that of
    `train.backend.training_data` but for the groups: a program is compiled for one bucket, and
    makes several steps in one call.

    Attributes:
      steps_per_epoch: Steps in which every sequence occurs once.
    """

    def __init__(
        self, lengths: np.ndarray, boundaries: Sequence[int], group: int, config: Any
    ) -> None:
        """Counts the steps.

        Args:
          lengths: Of the training sequences, `[N]`.
          boundaries: Of the buckets.
          group: Most steps in a call.
          config: Settings with `seed`, `batch_size` and `max_batch_steps`.
        """
        self._lengths = lengths
        self._boundaries = tuple(boundaries)
        self._group = group
        self._config = config
        self._epoch: tuple[int, list[np.ndarray], np.ndarray] | None = None
        self.steps_per_epoch = len(self._of_epoch(0)[0])

    def call_at(self, step: int, most: int) -> Call:
        """Returns the steps from `step` on that one call can make, at most `most`."""
        epoch, done = divmod(step, self.steps_per_epoch)
        batches, buckets = self._of_epoch(epoch)
        most = min(most, self._group)
        other = np.flatnonzero(buckets[done : done + most] != buckets[done])
        count = int(other[0]) if other.size else most
        return Call(int(buckets[done]), batches[done : done + count])

    def arrays_of(
        self, call: Call, sequences: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns the batches of a call: `x [N, B, T, ...]` and `lengths [N, B]`.

        N is the number of steps of a whole group; those that are not made have empty batches.
        """
        boundary = self._boundaries[call.bucket]
        rows = batch_rows(boundary, self._config.batch_size, self._config.max_batch_steps)
        empty = [np.zeros([0], int)] * (self._group - len(call.batches))
        batches = [padded(sequences, batch, rows, boundary) for batch in [*call.batches, *empty]]
        return np.stack([x for x, _, _ in batches]), np.stack([n for _, n, _ in batches])

    def _of_epoch(self, epoch: int) -> tuple[list[np.ndarray], np.ndarray]:
        """The batches of an epoch and the bucket of each."""
        if self._epoch is None or self._epoch[0] != epoch:
            seed = self._config.seed
            batches = make_batches(
                self._lengths,
                self._config.batch_size,
                self._boundaries,
                seed,
                epoch,
                self._config.max_batch_steps,
            )
            bounds = bounds_of(batches, self._lengths, self._boundaries)
            buckets = np.searchsorted(self._boundaries, bounds)
            order = in_groups(buckets, self._group, seed, epoch)
            self._epoch = epoch, [batches[i] for i in order], buckets[order]
        return self._epoch[1:]


def in_groups(buckets: np.ndarray, size: int, seed: int, epoch: int) -> np.ndarray:
    """Returns an order in which up to `size` batches of a bucket follow each other.

    Args:
      buckets: Bucket of each batch, `[N]`.
      size: Most batches in a group.
      seed: With `epoch`, decides the order of the groups; within a group that of the batches stays.
      epoch: Number of the epoch.
    """
    groups: list[np.ndarray] = []
    for bucket in np.unique(buckets):
        own = np.flatnonzero(buckets == bucket)
        groups += [own[i : i + size] for i in range(0, len(own), size)]
    order = np.random.default_rng([seed, epoch, 1]).permutation(len(groups))
    return np.concatenate([groups[i] for i in order])
