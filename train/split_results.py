"""The numbers of a split, as `results.json` has them and `train.evaluate` prints them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from train.metrics import evaluate_split
from train.progress import show_split_progress
from train.task import Task

__all__ = ["split_results"]


def split_results(
    task: Task,
    model: keras.Model,
    sequences: Sequence[Any],
    *,
    num_samples: int,
    seed: int,
    batch_size: int,
    max_batch_steps: int,
) -> dict[str, Any]:
    """Evaluates a model on a split, with progress on standard error.

    Args:
      task: Kind of data.
      model: Its model.
      sequences: Sentences, or piano rolls.
      num_samples: Importance samples of each sequence.
      seed: Of the samples.
      batch_size: Sequences in a batch, or the most of them.
      max_batch_steps: Most time steps in a batch, padding included. 0: no limit.

    Returns:
      What `evaluate_split` returns, and what is particular to the kind of data.
    """
    encoded = task.encode(model.config, sequences)
    results = evaluate_split(
        model,
        encoded,
        task.unit,
        has_latents=model.config.is_flow,
        num_samples=num_samples,
        seed=seed,
        batch_size=batch_size,
        max_batch_steps=max_batch_steps,
        progress=show_split_progress(),
    )
    return {**results, **task.split_numbers(sequences, encoded)}
