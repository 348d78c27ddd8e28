"""The terms of a split by a bundle's programs: what `train.backend.metrics.SplitTerms` computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import jax
import numpy as np

from export.bundle.device.contents import Bundle
from export.bundle.device.programs_on_device import Programs
from train.engine.buckets import batch_rows, bounds_of, make_batches, padded
from train.engine.sums import Sums

__all__ = ["split_sums"]

_BATCHES_AHEAD = 2  # The device has them while the host reads the results of an earlier one.


def split_sums(
    bundle: Bundle,
    programs: Programs,
    state: list[jax.Array],
    split: str,
    sequences: Sequence[np.ndarray],
    progress: Callable[[int, int], None] | None = None,
) -> Sums:
    """Returns the terms of a split; batch i uses the seed `(seed of the run, i)`.

    Args:
      bundle: The training.
      programs: Its programs.
      state: Its variables.
      split: `valid`, for the bound, or `test`, for the estimate by importance sampling.
      sequences: Of the split.
      progress: Told after each batch how many of how many sequences are done.
    """
    config = bundle.config
    size, limit = config.batch_size, config.max_batch_steps
    boundaries = bundle.manifest["programs"][split]["boundaries"]
    lengths = np.array([len(sequence) for sequence in sequences], np.int32)
    batches = make_batches(lengths, size, boundaries, seed=0, epoch=None, max_steps=limit)
    bounds = bounds_of(batches, lengths, boundaries).tolist()
    terms = np.zeros([3, len(sequences)])
    pending: deque[tuple[np.ndarray, list[jax.Array]]] = deque()
    done = 0

    def read_one() -> None:
        nonlocal done
        index, values = pending.popleft()
        real = index >= 0  # The other rows fill a short batch.
        terms[:, index[real]] = np.stack([np.asarray(value) for value in values])[:, real]
        done += int(real.sum())
        if progress:
            progress(done, len(sequences))

    for i, (batch, bound) in enumerate(zip(batches, bounds, strict=True)):
        x, row_lengths, index = padded(sequences, batch, batch_rows(bound, size, limit), bound)
        seed = np.array([config.seed, i], np.int32)
        inputs = (x, row_lengths, seed)
        values = programs.evaluate(split, boundaries.index(bound), state, *inputs)
        pending.append((index, values))
        if len(pending) > _BATCHES_AHEAD:
            read_one()
    while pending:
        read_one()
    log_prob, reconstruction, kl = terms
    log_length = bundle.log_length()[lengths - 1].astype(float)
    return Sums(lengths, log_prob, log_length, reconstruction, kl)
