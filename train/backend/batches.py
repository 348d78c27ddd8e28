"""Batches of sequences of unlike lengths as a `tf.data.Dataset`; see `train.engine.buckets`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from train.engine.buckets import batch_rows, bounds_of, padded

__all__ = ["batch_dataset", "batch_spec"]


def batch_spec(
    sequences: Sequence[np.ndarray], batch_size: int, max_steps: int = 0
) -> tuple[tf.TensorSpec, tf.TensorSpec]:
    """Returns the specs of x and lengths of all batches of such sequences.

    Time is left open, and so are the rows where `max_steps` lets them vary.
    """
    rows = None if max_steps else batch_size
    return (
        tf.TensorSpec([rows, None, *sequences[0].shape[1:]], sequences[0].dtype),
        tf.TensorSpec([rows], tf.int32),
    )


def batch_dataset(
    sequences: Sequence[np.ndarray],
    batches: Sequence[np.ndarray],
    batch_size: int,
    boundaries: Sequence[int],
    start: int = 0,
    max_steps: int = 0,
) -> tf.data.Dataset:
    """Returns the batches as a prefetched dataset of `(x, lengths, index)`.

    Args:
      sequences: Arrays `[T, ...]` of one dtype and one shape beyond time.
      batches: What `make_batches` returned.
      batch_size: Rows of every batch, or the most of them.
      boundaries: The boundaries that the batches were made with.
      start: How many batches to leave out, when an epoch is resumed.
      max_steps: What the batches were made with.

    Returns:
      A dataset of `x [rows, boundary, ...]` in the sequences' dtype with 0 beyond each length,
      `lengths [rows]` int32, and `index [rows]` int32, the rows' places in `sequences`. Without
      `max_steps` a short batch is filled up to `batch_size` with rows of length 0 and index -1.

    Raises:
      ValueError: If there are no sequences, `start` is out of range, or a batch is too long for
        the boundaries or the batch size.
    """
    if len(sequences) == 0:
        raise ValueError("expected at least one sequence; got none")
    if not 0 <= start <= len(batches):
        raise ValueError(f"expected a start from 0 to {len(batches)}; got {start}")
    lengths = np.array([len(sequence) for sequence in sequences], np.int32)
    bounds = bounds_of(batches, lengths, boundaries)
    for batch, bound in zip(batches, bounds.tolist(), strict=True):
        most = batch_rows(bound, batch_size, max_steps)
        if len(batch) > most:
            raise ValueError(f"expected batches of at most {most} rows; got {len(batch)}")
    x_spec, lengths_spec = batch_spec(sequences, batch_size, max_steps)

    def generate() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        for batch, bound in zip(batches[start:], bounds[start:], strict=True):
            rows = len(batch) if max_steps else batch_size
            yield padded(sequences, batch, rows, bound)

    signature = (x_spec, lengths_spec, lengths_spec)
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(batches) - start))
    # There is nothing to tune, and at its end an iterator waits for the thread that tunes it: up to
    # a minute at the end of an epoch.
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(4).with_options(options)
