"""Batches of bounded size from ragged sequences, and drawing sequences in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tf_latentflow.interfaces.inputs import as_count, as_int32
from tf_latentflow.noise import Noise, seed_of

__all__ = ["batches", "checked_lengths", "draw_batches", "draw_sequences", "padded"]

_MOST_STEPS = 2**13  # Of a batch that a model reads, padding included.
_MOST_ROWS = 256
_MOST_NUMBERS = 2**24  # Of noise that is drawn at once: 64 MB.


def padded(sequences: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Pads arrays `[T, ...]` with 0 to `[B, max T, ...]`; returns these and the lengths `[B]`."""
    lengths = np.array([len(x) for x in sequences], np.int32)
    batch = np.zeros(
        (len(sequences), int(np.max(lengths)), *sequences[0].shape[1:]), sequences[0].dtype
    )
    for row, x in zip(batch, sequences, strict=True):
        row[: len(x)] = x
    return batch, lengths


def batches(
    sequences: Sequence[np.ndarray], seed: tf.Tensor, most_rows: int = _MOST_ROWS
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, Noise]]:
    """Batches of sequences of similar length, the longest first, and equal ones in their order.

    Args:
      sequences: Arrays `[T, ...]`.
      seed: int32 `[2]`.
      most_rows: Maximum number of sequences in a batch.

    Yields:
      The indices `[B]` of the sequences; the batch `[B, max T, ...]`; its lengths `[B]`; and the
      noise of its rows, which depends only on the seed and the index of a sequence.
    """
    order = np.argsort([-len(x) for x in sequences], kind="stable").astype(np.int32)
    start = 0
    while start < len(order):
        rows = max(1, min(most_rows, _MOST_STEPS // len(sequences[order[start]])))
        indices = order[start : start + rows]
        x, lengths = padded([sequences[i] for i in indices])
        yield indices, x, lengths, Noise(seed, tf.constant(indices))
        start += rows


def draw_sequences(
    model: Any, n: int, progress: Callable[[int, int], None] | None = None, **options: Any
) -> list[np.ndarray]:
    """Draws sequences, each int32 `[T, ...]`; see `draw_batches`.

    `progress` is called after each batch with the number drawn so far and in total.
    """
    drawn: list[np.ndarray] = []
    for batch in draw_batches(model, n, **options):
        drawn += batch
        if progress:
            progress(len(drawn), n)
    return drawn


def draw_batches(
    model: Any,
    n: int,
    *,
    seed: int | None = None,
    temperature: float = 1.0,
    length: int | Sequence[int] | None = None,
) -> Iterator[list[np.ndarray]]:
    """Draws sequences, each int32 `[T, ...]`, in batches that fit into memory.

    Args:
      model: A `SequenceModel`.
      n: Number of sequences.
      seed: The same seed gives the same sequences; None gives new ones at every call.
      temperature: As in `sample`; 1 is the model's distribution.
      length: T of all, or of each; None draws it from p(T).

    Raises:
      ValueError: `n` is below 1, the seed is a pair, or a length or the temperature is invalid.
    """
    n = as_count("a number of sequences", n)
    if seed is not None and np.ndim(seed):  # A pair would give every batch the same noise.
        raise ValueError(f"expected a seed that is a whole number; got {seed}")
    if length is None:
        lengths = model.length_model.sample(n, seed_of(seed)).numpy()
    else:
        lengths = checked_lengths(length, n, model.config.max_length)
    rows = max(1, min(_MOST_ROWS, _MOST_NUMBERS // (int(lengths.max()) * model.config.vocab_size)))
    for k, i in enumerate(range(0, n, rows)):
        part = lengths[i : i + rows]
        x = model.sample(tf.constant(part), temperature, seed_of(seed, 1 + k))
        yield [row[:size] for row, size in zip(x.numpy(), part, strict=True)]


def checked_lengths(length: int | Sequence[int] | np.ndarray, n: int, longest: int) -> np.ndarray:
    """Lengths of n sequences, int32 `[n]`, given one for all or one for each.

    Raises:
      ValueError: They are not whole numbers from 1 to `longest`, or there are neither 1 nor n.
    """
    lengths = as_int32(length).numpy()
    if lengths.shape not in ((), (n,)):
        raise ValueError(f"expected one length, or {n}; got the shape {list(lengths.shape)}")
    lengths = np.broadcast_to(lengths, [n])
    if n and (lengths.min() < 1 or lengths.max() > longest):
        raise ValueError(
            f"expected lengths from 1 to {longest}; got {lengths.min()} to {lengths.max()}"
        )
    return lengths
