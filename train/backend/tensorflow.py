"""The operations of the training loop in TensorFlow: a `train.engine.loop.backend.Backend`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from bijectors import Execution
from train.backend.devices import make_model_and_optimizer, make_strategy
from train.backend.split_evaluation import SplitEvaluation, batch_spec
from train.backend.step import TrainStep
from train.engine.buckets import lengths_of
from train.engine.order import Call
from train.engine.settings import LoopSettings
from train.engine.split_terms import SplitTerms
from train.engine.step_terms import StepTerms
from train.engine.workers.team import ALONE, Team
from train.support.errors import UserError

__all__ = ["TensorFlowBackend"]

_FILE = "variables"


class TensorFlowBackend:
    """A model, its optimiser and its best weights so far, on all devices of a team.

    Attributes:
      model: The model.
    """

    def __init__(
        self,
        config: LoopSettings,
        make_model: Callable[[], keras.Model],
        train: Sequence[np.ndarray],
        valid: Sequence[np.ndarray],
        team: Team = ALONE,
    ) -> None:
        """Makes the model, the optimiser and the training step.

        Args:
          config: Settings of the run.
          make_model: Makes the model; called once, in the strategy's scope.
          train: Training sequences, arrays `[T, ...]`, for their shapes and lengths.
          valid: Validation sequences.
          team: The processes that train the model, each with all of the data.
        """
        self._config = config
        self._valid = valid[: config.valid_sequences or None]
        strategy = make_strategy(team)
        self.model, self._optimizer = make_model_and_optimizer(config, make_model, strategy)
        self.model.execution = Execution(
            config.compile_loops, "bfloat16" if config.mixed_precision else None
        )
        with strategy.scope():
            self._best = [tf.Variable(v.value) for v in self.model.trainable_variables]
        self.model.length_model.fit(lengths_of(train))
        size, limit = config.batch_size, config.max_batch_steps
        spec = batch_spec(train, size, limit)
        self._step = TrainStep(config, self.model, self._optimizer, strategy, spec)
        self._terms = SplitEvaluation(
            self.model,
            config.valid_samples,
            size,
            importance=False,
            max_batch_steps=limit,
            team=team,
        )
        self._checkpoint = tf.train.Checkpoint(
            model=self.model, optimizer=self._optimizer, best=self._best
        )
        self._traced = False

    def prepare(self, bounds: set[int]) -> bool:
        first, self._traced = not self._traced, True
        return first or self._config.compile_loops or self._config.jit

    def start(
        self, call: Call, kl_weights: Sequence[float], rates: Sequence[float]
    ) -> list[StepTerms]:
        made = []
        for i, batches in enumerate(call.steps):
            self._optimizer.learning_rate.assign(rates[i])
            tensors = [tuple(map(tf.constant, batch)) for batch in batches]
            made.append(self._step(tensors, kl_weights[i], call.first + i))
        return made

    def read(self, started: list[StepTerms]) -> list[StepTerms]:
        return [StepTerms(*map(float, terms)) for terms in started]

    def failure(self) -> tuple[int, str] | None:
        return self._step.failure

    def weights_are_finite(self) -> bool:
        return all(bool(tf.reduce_all(tf.math.is_finite(v))) for v in self._weights())

    def validate(self, progress: Callable[[int, int], None]) -> SplitTerms:
        return self._terms(self._valid, self._config.seed, progress)

    def keep_best(self) -> None:
        for best, weight in zip(self._best, self._weights(), strict=True):
            best.assign(weight)

    def restore_best(self) -> None:
        for best, weight in zip(self._best, self._weights(), strict=True):
            weight.assign(best)

    def write(self, folder: Path) -> None:
        self._checkpoint.write(str(folder / _FILE))

    def read_state(self, folder: Path) -> None:
        try:
            status = self._checkpoint.read(str(folder / _FILE))
            status.assert_existing_objects_matched()
        except (AssertionError, ValueError) as error:
            raise UserError(
                f"{folder} is a checkpoint of another model: choose another --workdir"
            ) from error

    def _weights(self) -> list[tf.Variable]:
        return [variable.value for variable in self.model.trainable_variables]
