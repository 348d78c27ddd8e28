"""A training by TensorFlow in the folder of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np

from train.backend.board import Board
from train.backend.board_record import BoardRecord
from train.backend.tensorflow import TensorFlowBackend
from train.engine.buckets import default_boundaries
from train.engine.loop.place import Place
from train.engine.loop.training_loop import TrainingLoop
from train.engine.order import TrainingOrder
from train.engine.run_state import RunSummary
from train.engine.settings import LoopSettings
from train.engine.workdir import Workdir
from train.support.screen import Screen
from train.support.units import Unit

__all__ = ["train_model"]


def train_model(
    config: LoopSettings,
    make_model: Callable[[], keras.Model],
    train: Sequence[np.ndarray],
    valid: Sequence[np.ndarray],
    workdir: Workdir,
    unit: Unit,
    *,
    has_latents: bool,
    screen: Screen,
    show: Callable[[keras.Model, Board, int], None] | None = None,
) -> tuple[keras.Model, RunSummary]:
    """Trains a model, or goes on where an earlier process was stopped.

    Args:
      config: Settings of the run.
      make_model: Makes the model.
      train: Training sequences, arrays `[T, ...]`.
      valid: Validation sequences.
      workdir: Claimed for this process.
      unit: In what losses are shown.
      has_latents: False for a model whose KL term is 0.
      screen: Shows how the run goes on.
      show: Writes what else a validation shows to the board.

    Returns:
      The model with its best weights, and what the training says of itself.

    Raises:
      NonFiniteError: If a value went non-finite.
    """
    backend = TensorFlowBackend(config, make_model, train, valid)
    model = backend.model
    lengths = np.array([len(x) for x in train], np.int32)
    loop = TrainingLoop(
        config,
        backend,
        TrainingOrder(config, train, default_boundaries(lengths)),
        BoardRecord(
            workdir.tensorboard, unit, show and (lambda board, step: show(model, board, step))
        ),
        Place(workdir.checkpoints, workdir.resumes_file),
        screen,
        unit,
        has_latents=has_latents,
    )
    loop.run()
    return model, loop.summary
