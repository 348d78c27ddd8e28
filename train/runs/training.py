"""A run from its first step to its results."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from tf_latentflow import ModelConfig
from train.backend.board import Board
from train.backend.devices import make_strategy
from train.backend.tensorflow import TensorFlowBackend
from train.data.dataset import Dataset
from train.engine.buckets import default_boundaries, lengths_of
from train.engine.loop.interruption import deferred_signals
from train.engine.loop.record import Record
from train.engine.loop.training_loop import TrainingLoop
from train.engine.order import TrainingOrder
from train.engine.progress import show_split_progress
from train.engine.run_state import NonFiniteError
from train.engine.workdir import Workdir
from train.engine.workers.checkpoints import TeamCheckpoints
from train.engine.workers.team import Team
from train.runs.saved_model import initial_model, save_model, weights_sha256
from train.runs.testing import split_results
from train.samples.kinds import SAMPLES
from train.settings.config import TrainConfig
from train.support.errors import UserError
from train.support.files import write_checked_json
from train.support.memory import peak_memory_gib
from train.support.screen import Screen

__all__ = ["train_and_test", "write_results"]


def train_and_test(
    config: TrainConfig,
    model_config: ModelConfig,
    dataset: Dataset,
    workdir: Workdir,
    screen: Screen,
    team: Team,
) -> None:
    """Trains, tests, and writes the files of a finished run.

    Args:
      config: Settings of the run.
      model_config: Configuration of its model.
      dataset: Its data.
      workdir: Folder of the run, claimed by this process if it is the chief.
      screen: Shows the progress.
      team: The processes that train and test the model; only the chief writes.

    Raises:
      SystemExit: With status 1 if a loss is not finite.
      UserError: Another process of the team hangs.
    """
    screen.now("making the model")
    make_strategy(team)  # Before anything is computed.
    try:
        model, summary = _train(config, model_config, dataset, workdir, screen, team)
    except NonFiniteError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except tf.errors.UnavailableError as error:
        if team.size == 1:
            raise
        raise UserError(
            "a worker does not answer: the same command on every machine resumes from the last "
            "checkpoint"
        ) from error
    if team.is_chief:
        save_model(model, workdir)
    num_sequences, sequences = len(dataset.test), config.unit.sequences
    screen.line(f"testing on {num_sequences} {sequences}, {config.test_samples} samples each")
    test = split_results(
        model,
        dataset,
        dataset.test,
        config,
        num_samples=config.test_samples,
        screen=screen,
        team=team,
    )
    if team.is_chief:
        write_results(
            workdir,
            config,
            dataset,
            model,
            test=test,
            train={**summary, "peak_memory_gib": peak_memory_gib()},
            screen=screen,
        )


def _train(
    config: TrainConfig,
    model_config: ModelConfig,
    dataset: Dataset,
    workdir: Workdir,
    screen: Screen,
    team: Team,
) -> tuple[keras.Model, dict[str, Any]]:
    """Returns the model with its best weights, and a summary of the training."""
    sequences = dataset.encode(model_config, dataset.train)
    valid = dataset.encode(model_config, dataset.valid)
    make_model = initial_model(config, model_config)
    backend = TensorFlowBackend(config, make_model, sequences, valid, team)
    show = SAMPLES[config.task].show(model_config, valid, config)
    loop = TrainingLoop(
        config,
        backend,
        TrainingOrder(
            config, sequences, default_boundaries(lengths_of(sequences)), vary=config.vary
        ),
        Board(workdir.tensorboard, config.unit, functools.partial(show, backend.model))
        if team.is_chief
        else Record(),
        TeamCheckpoints(workdir.checkpoints, team, screen.line),
        screen,
        config.unit,
        has_latents=model_config.is_flow,
    )
    # The processes of a team would stop at different steps, so that they end at once.
    with deferred_signals(defer=team.size == 1) as should_stop:
        loop.run(should_stop)
    return backend.model, loop.summary


def write_results(
    workdir: Workdir,
    config: TrainConfig,
    dataset: Dataset,
    model: keras.Model,
    *,
    test: Mapping[str, Any],
    train: Mapping[str, Any],
    screen: Screen,
) -> None:
    """Writes samples of a model, then `results.json`, the last file of a run.

    Args:
      workdir: Folder of the run.
      config: Settings of the run.
      dataset: Its data.
      model: The model with its best weights.
      test: Results of the test.
      train: Summary of the training.
      screen: Shows the progress.
    """
    progress = show_split_progress(screen, "drawing samples")
    samples = SAMPLES[config.task].write(model, dataset, config, workdir, progress)
    write_checked_json(
        workdir.results_file,
        {
            "task": config.task,
            "model": config.model,
            "dataset": config.to_dict()["dataset"],
            "dataset_sha256": dataset.sha256,
            "preset": config.preset,
            "seed": config.seed,
            "test": test,
            "train": {**train, "weights_sha256": weights_sha256(model)},
            "samples": samples,
        },
    )
