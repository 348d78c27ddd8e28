"""A real run: the steps of the default command on batches of mixed lengths, with its page faults.

A benchmark of one shape hides what memory costs that comes and goes with the length of a batch.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tf_latentflow import build_model
from train.backend.batches import batch_spec
from train.backend.devices import make_model_and_optimizer, make_strategy
from train.backend.step import Batch, TrainStep
from train.backend.training_data import TrainingData
from train.data.text.config import TextConfig
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
    strategy = make_strategy()
    built, optimizer = make_model_and_optimizer(config, lambda: build_model(model_config), strategy)
    built.length_model.fit(np.array([len(x) for x in sequences], np.int32))
    spec = batch_spec(sequences, config.batch_size, config.max_batch_steps)
    step = TrainStep.from_config(config, built, optimizer, strategy, spec)
    batches = list(itertools.islice(_batches(TrainingData(config, sequences)), num_batches))
    for batch in {int(batch[0].shape[1]): batch for batch in batches}.values():
        step([batch], 1.0, 0)  # Compiles.
    before, start = usage(), time.perf_counter()
    for number, batch in enumerate(batches):
        terms = step([batch], 1.0, number)
    float(terms.kl)  # Waits for the device.
    seconds, after = time.perf_counter() - start, usage()
    characters = sum(int(np.sum(lengths)) for _, lengths in batches)
    faults = share = None
    if before and after:
        faults = (after.page_faults - before.page_faults) / len(batches)
        kernel, user = after.kernel - before.kernel, after.user - before.user
        share = kernel / (kernel + user)
    return RealRun(len(batches), characters / seconds, faults, share, peak_memory_gib())


def _batches(data: TrainingData) -> Iterator[Batch]:
    for epoch in itertools.count():
        for group in data.rest_of_epoch(epoch * data.steps_per_epoch):
            yield from group
