"""Assigns sequences to batches and pads them; needs only NumPy.

A sequence is an array whose first axis is time: `[T]` for text, `[T, 88]` for music. Sequences of
similar length share a bucket. They are cut into batches and padded to the bucket's boundary, so
that a compiled step has at most as many shapes as there are boundaries. The last batch of a bucket
is filled with sequences of the next shorter bucket. An epoch therefore has at most one batch with
fewer sequences, in the shortest bucket.

Memory grows with rows times steps. `Buckets.max_steps` bounds the time steps of a batch, so that
batches of long sequences have fewer rows. A batch with too few sequences is filled with rows of
length 0.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

__all__ = [
    "Batch",
    "Buckets",
    "Indexed",
    "default_boundaries",
    "lengths_of",
    "padded",
]

_MAX_CANDIDATES = 512

Indexed: TypeAlias = Sequence[np.ndarray] | Mapping[int, np.ndarray]
"""Sequences by index: all of a split, or those of a batch."""


class Batch(NamedTuple):
    """Sequences padded to one length; rows of length 0 fill a short batch.

    Attributes:
      x: `[B, T, ...]`, 0 beyond each length.
      lengths: int32 `[B]`.
      index: int32 `[B]`, the place of each row in the split; -1 for a row that fills the batch.
    """

    x: np.ndarray
    lengths: np.ndarray
    index: np.ndarray


def lengths_of(sequences: Sequence[Any]) -> np.ndarray:
    """Returns the lengths of sequences, int32 `[N]`: their attribute `lengths`, or each `len`."""
    known = getattr(sequences, "lengths", None)
    return np.array([len(x) for x in sequences], np.int32) if known is None else known


def default_boundaries(lengths: np.ndarray, max_buckets: int = 10) -> tuple[int, ...]:
    """Returns the bucket boundaries, ascending, that need the least padding for these lengths.

    They minimise `sum(boundary(length) - length)` among the lengths that occur, by dynamic
    programming. The last boundary is the greatest length.

    Args:
      lengths: `[N]` lengths of all sequences that will be batched.
      max_buckets: Maximum number of boundaries.

    Raises:
      ValueError: There are no lengths, or a length or `max_buckets` is not positive.
    """
    lengths = np.asarray(lengths)
    if lengths.size == 0 or lengths.min() < 1:
        raise ValueError(f"expected positive lengths, at least one; got {lengths}")
    if max_buckets < 1:
        raise ValueError(f"expected max_buckets of at least 1; got {max_buckets}")
    bounds, counts = np.unique(lengths, return_counts=True)
    below = np.concatenate([[0], np.cumsum(counts)])  # How many are shorter than each length.
    occurring = bounds
    if bounds.size > _MAX_CANDIDATES:
        bounds = bounds[np.linspace(0, bounds.size - 1, _MAX_CANDIDATES).round().astype(int)]
    bounds = np.concatenate([[0], bounds])  # The first stands for "no boundary yet".
    up_to = below[np.searchsorted(occurring, bounds, side="right")]
    later = np.arange(bounds.size)[:, None] < np.arange(bounds.size)
    cost = np.where(later, (up_to[None, :] - up_to[:, None]) * bounds, np.inf)

    best = np.where(np.arange(bounds.size) == 0, 0.0, np.inf)
    previous, totals = [], []
    for _ in range(max_buckets):
        through = best[:, None] + cost  # [boundary before, boundary]
        previous.append(np.argmin(through, axis=0))
        best = np.min(through, axis=0)
        totals.append(best[-1])

    chosen = [bounds.size - 1]
    for step in reversed(previous[: int(np.argmin(totals)) + 1]):
        chosen.append(int(step[chosen[-1]]))
    return tuple(int(bounds[i]) for i in reversed(chosen[:-1]))


@dataclasses.dataclass(frozen=True)
class Buckets:
    """How sequences are cut into batches of similar lengths.

    Attributes:
      boundaries: The lengths that batches are padded to, ascending, such as `default_boundaries`.
      batch_size: Maximum number of sequences per batch.
      max_steps: Maximum number of time steps per batch, including padding, unless it is a single
        long sequence; 0 for no limit.

    Raises:
      ValueError: The boundaries do not ascend, or a number is out of range.
    """

    boundaries: tuple[int, ...]
    batch_size: int
    max_steps: int = 0

    def __post_init__(self) -> None:
        if len(self.boundaries) == 0 or np.any(np.diff(self.boundaries) <= 0):
            raise ValueError(f"expected ascending boundaries; got {tuple(self.boundaries)}")
        if self.batch_size < 1:
            raise ValueError(f"expected a batch_size of at least 1; got {self.batch_size}")
        if self.max_steps < 0:
            raise ValueError(f"expected max_steps of at least 0; got {self.max_steps}")

    def rows(self, boundary: int) -> int:
        """Returns the number of rows of a batch that is padded to a boundary.

        It is `max(1, min(batch_size, max_steps // boundary))`, or `batch_size` without a limit.
        """
        if not self.max_steps:
            return self.batch_size
        return max(1, min(self.batch_size, self.max_steps // boundary))

    def batches(self, lengths: np.ndarray, seed: int, epoch: int | None) -> list[np.ndarray]:
        """Assigns all sequences to batches.

        The result depends only on the arguments, so a run that resumes gets the same batches.

        Args:
          lengths: `[N]` lengths.
          seed: With `epoch`, determines the order of sequences and batches.
          epoch: Number of the epoch. None: the order of the data within each bucket, from the
            longest bucket to the shortest.

        Returns:
          Arrays of indices into the sequences; every index occurs once.

        Raises:
          ValueError: A length exceeds the last boundary, or the seed or the epoch is negative.
        """
        if seed < 0 or (epoch is not None and epoch < 0):
            raise ValueError(f"expected a seed and an epoch of at least 0; got {seed=}, {epoch=}")
        rng = None if epoch is None else np.random.default_rng([seed, epoch])
        buckets = self._bucket_of(np.asarray(lengths))
        order = np.empty([len(buckets)], np.int32)  # There may be a hundred million.
        end = 0
        for bucket in reversed(range(len(self.boundaries))):
            indices = np.flatnonzero(buckets == bucket)
            own = order[end : end + len(indices)]
            own[:] = indices
            if rng is not None:
                rng.shuffle(own)
            end += len(indices)
        # Buckets are sorted from the longest, so a batch is padded as its first sequence needs.
        rows = [self.rows(boundary) for boundary in self.boundaries]
        batches: list[np.ndarray] = []
        start = 0
        while start < len(order):
            end = start + rows[buckets[order[start]]]
            batches.append(order[start:end])
            start = end
        if rng is not None:
            batches = [batches[i] for i in rng.permutation(len(batches))]
        return batches

    def bounds_of(self, batches: Sequence[np.ndarray], lengths: np.ndarray) -> np.ndarray:
        """Returns the boundary to which each batch is padded."""
        longest = np.array([lengths[batch].max() for batch in batches], int)
        return np.asarray(self.boundaries)[self._bucket_of(longest)]

    def _bucket_of(self, lengths: np.ndarray) -> np.ndarray:
        """Returns, for every length, the index of the smallest boundary that is at least that."""
        last = self.boundaries[-1]
        if lengths.size and lengths.max() > last:
            raise ValueError(f"expected lengths of at most {last}; got {lengths.max()}")
        # A table is faster than a search, and small numbers save memory.
        table = np.searchsorted(self.boundaries, np.arange(last + 1), side="left")
        return table.astype(np.uint16)[lengths]


def padded(sequences: Indexed, batch: np.ndarray, rows: int, boundary: int) -> Batch:
    """Returns one batch of sequences as arrays.

    Args:
      sequences: Arrays `[T, ...]` of one dtype and one shape beyond time, by index.
      batch: Indices into the sequences, at most `rows`, at least one.
      rows: Rows of the result.
      boundary: Number of time steps of the result.
    """
    chosen = [sequences[i] for i in batch]
    x = np.zeros((rows, boundary, *chosen[0].shape[1:]), chosen[0].dtype)
    lengths = np.zeros([rows], np.int32)
    index = np.full([rows], -1, np.int32)
    for row, (i, sequence) in enumerate(zip(batch, chosen, strict=True)):
        lengths[row], index[row] = len(sequence), i
        x[row, : lengths[row]] = sequence
    return Batch(x, lengths, index)
