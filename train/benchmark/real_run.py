"""A real run: the steps of the default command on batches of mixed lengths, with its page faults.

A benchmark of one shape hides what memory costs that comes and goes with the length of a batch.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

from tf_latentflow import build_model
from train.backend.tensorflow import TensorFlowBackend
from train.data.text.config import TextConfig
from train.engine.buckets import default_boundaries, lengths_of
from train.engine.order import TrainingOrder
from train.support.memory import peak_memory_gib, usage

__all__ = ["RealRun", "measure_real_run", "real_run_name"]


class RealRun(NamedTuple):
    """What a run of some batches was, compiling left out.

    Attributes:
      steps: Batches.
      characters_per_second: Of the data, padding left out.
      page_faults_per_step: Pages that the system had to map; None where no one counts them.
      kernel_share: Share of the CPU time that the system took, 0 to 1; None likewise.
      peak_memory_gib: Of the process.
    """

    steps: int
    characters_per_second: float
    page_faults_per_step: float | None
    kernel_share: float | None
    peak_memory_gib: float | None


def real_run_name(model: str, num_batches: int) -> str:
    """The name of such a run in the table."""
    return f"{model} real run, preset small, {num_batches} batches of mixed lengths"


def measure_real_run(model: str, num_batches: int) -> RealRun:
    """Trains a model at preset `small` on the embedded corpus, as the training program does.

    Args:
      model: Name of a row.
      num_batches: How many batches are timed, in the order in which a run meets them.
    """
    config = TextConfig.from_preset("small", model)
    dataset = config.load()
    model_config = config.model_config(**dataset.model_fields())
    sequences = dataset.encode(model_config, dataset.train)
    backend = TensorFlowBackend(config, lambda: build_model(model_config), sequences, sequences[:1])
    order = TrainingOrder(config, sequences, default_boundaries(lengths_of(sequences)))
    calls = [order.call_at(step, 1) for step in range(num_batches)]
    for call in {max(call.bounds): call for call in calls}.values():
        backend.read(backend.start(call, [1.0], [config.learning_rate]))  # Compiles.
    before, start = usage(), time.perf_counter()
    for call in calls:
        backend.read(backend.start(call, [1.0], [config.learning_rate]))
    seconds, after = time.perf_counter() - start, usage()
    batches = [batch for call in calls for step in call.steps for batch in step]
    characters = sum(int(np.sum(batch.lengths)) for batch in batches)
    faults = share = None
    if before and after:
        faults = (after.ru_minflt - before.ru_minflt) / len(batches)
        kernel, user = after.ru_stime - before.ru_stime, after.ru_utime - before.ru_utime
        share = kernel / (kernel + user)
    return RealRun(len(batches), characters / seconds, faults, share, peak_memory_gib())
