"""The results of a split, as in `results.json` and in the output of `train.evaluate`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from bijectors import Execution
from train.backend.split_evaluation import SplitEvaluation
from train.data.dataset import Encoding
from train.engine.progress import show_split_progress
from train.engine.workers.team import ALONE, Team
from train.settings.config import TrainConfig
from train.support.screen import Screen

__all__ = ["split_results"]


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
      model: The model; its `execution` is set.
      dataset: Encodes the sequences.
      sequences: Sentences or piano rolls, not all of them too long for the model.
      config: Unit of the results, seed of the samples, size of the batches, and `compile_loops`.
      num_samples: Importance samples per sequence.
      screen: Shows the progress.
      team: The processes that share the work.

    Returns:
      The report of `SplitTerms.test_report`, and counts specific to the kind of data.
    """
    model.execution = Execution(config.compile_loops)  # Products are not rounded.
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
