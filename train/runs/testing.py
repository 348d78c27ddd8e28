"""The results of a split, as in `results.json` and in the output of `train.evaluate`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras

from bijectors import Execution
from train.backend.split_evaluation import SplitEvaluation
from train.data.dataset import Encoding
from train.engine.progress import show_split_progress
from train.engine.workers.team import ALONE, Team
from train.runs.saved_model import load_model
from train.runs.saved_run import SavedRun
from train.settings.config import TrainConfig
from train.support.screen import Screen

__all__ = ["evaluate_run", "split_results"]


def split_results(
    model: keras.Model,
    dataset: Encoding,
    sequences: Sequence[Any],
    config: TrainConfig,
    *,
    num_samples: int,
    screen: Screen,
    team: Team = ALONE,
) -> dict[str, Any]:
    """Evaluates a model on a split.

    Args:
      model: The model.
      dataset: Encodes the sequences.
      sequences: Sentences or piano rolls, not all of them too long for the model.
      config: Unit of the results, seed of the samples, and size of the batches.
      num_samples: Importance samples per sequence.
      screen: Shows the progress.
      team: The processes that share the work.

    Returns:
      The report of `SplitTerms.test_report`, and counts specific to the kind of data.
    """
    encoded = dataset.encode(model.config, sequences)
    terms = SplitEvaluation(
        model,
        num_samples,
        config.batch_size,
        importance=True,
        max_batch_steps=config.max_batch_steps,
        team=team,
    )(encoded, config.seed, show_split_progress(screen, "testing"))
    return {
        **terms.test_report(config.unit, model.config.is_flow, num_samples),
        **dataset.counts(sequences, encoded),
    }


def evaluate_run(
    run: SavedRun,
    dataset: Encoding,
    sequences: Sequence[Any],
    *,
    num_samples: int,
    screen: Screen,
    seed: int | None = None,
    batch_size: int | None = None,
) -> dict[str, Any]:
    """Evaluates the model of a finished run; see `split_results`.

    Args:
      run: The run.
      dataset: Its own dataset, or another of the same kind.
      sequences: A split or all of it, not all of them too long for the model.
      num_samples: Importance samples per sequence.
      screen: Shows the progress.
      seed: Seed of the samples. None: that of the run, which reproduces its results.
      batch_size: Sequences per batch. None: that of the run.

    Raises:
      UserError: The model's file is damaged.
    """
    given = {"seed": seed, "batch_size": batch_size}
    given = {name: value for name, value in given.items() if value is not None}
    config = dataclasses.replace(run.config, **given)
    model = load_model(run.source)
    model.execution = Execution(config.compile_loops)
    return split_results(model, dataset, sequences, config, num_samples=num_samples, screen=screen)
