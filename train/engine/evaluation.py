"""Evaluates a split batch by batch, with any backend; needs only NumPy."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tf_latentflow.terms import Terms
from train.engine.buckets import Batch, Buckets, lengths_of, padded
from train.engine.split_terms import SplitTerms
from train.engine.workers.team import ALONE, Team

__all__ = ["evaluate"]

_BATCHES_AHEAD = 2  # The device has them while the host reads the results of an earlier one.


def evaluate(
    sequences: Sequence[np.ndarray],
    buckets: Buckets,
    start: Callable[[Batch], Terms],
    log_length: Callable[[np.ndarray], np.ndarray],
    *,
    progress: Callable[[int, int], None] | None = None,
    team: Team = ALONE,
) -> SplitTerms:
    """Returns the terms of a split.

    Args:
      sequences: Arrays `[T, ...]`.
      buckets: How they are cut into batches.
      start: Returns the terms of a batch, each `[B]`, which may be computed later.
      log_length: log p(T) of lengths `[N]`.
      progress: Called after each batch with the number of this process's sequences so far and in
        total.
      team: The processes that share the batches; each gets the terms of all.
    """
    lengths = lengths_of(sequences)
    batches = buckets.batches(lengths, 0, None)
    batches = batches[team.index :: team.size]
    bounds = buckets.bounds_of(batches, lengths).tolist()
    total = sum(map(len, batches))
    terms = np.zeros([len(Terms._fields), len(sequences)])
    pending: deque[tuple[np.ndarray, Any]] = deque()
    done = 0

    def read_one() -> None:
        nonlocal done
        index, values = pending.popleft()
        real = index >= 0
        terms[:, index[real]] = np.stack([np.asarray(value) for value in values])[:, real]
        done += int(real.sum())
        if progress:
            progress(done, total)

    for indices, bound in zip(batches, bounds, strict=True):
        batch = padded(sequences, indices, buckets.rows(bound), bound)
        pending.append((batch.index, start(batch)))
        if len(pending) > _BATCHES_AHEAD:
            read_one()
    while pending:
        read_one()
    terms = team.total(terms)
    return SplitTerms(lengths, Terms(*terms), np.asarray(log_length(lengths), float))
