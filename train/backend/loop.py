"""The training loop: steps, validations, checkpoints; it knows nothing about the data."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

import keras
import numpy as np
import tensorflow as tf

from train.backend.batches import batch_spec
from train.backend.board import Board
from train.backend.checkpoints import CheckpointStore
from train.backend.devices import make_model_and_optimizer, make_strategy
from train.backend.metrics import SplitTerms
from train.backend.step import Batch, TrainStep
from train.backend.training_data import TrainingData
from train.engine.progress import Progress, show_split_progress
from train.engine.run_state import NonFiniteError, RunState, RunSummary
from train.engine.schedules import Schedule
from train.engine.settings import LoopSettings
from train.engine.workdir import Workdir
from train.support.files import write_json
from train.support.screen import Screen
from train.support.units import Unit

__all__ = ["Trainer"]


class Trainer:
    """Trains a model in a workdir, and goes on where an earlier process was stopped.

    Every random number and the order of the data are functions of the seed and the step, and a
    checkpoint holds all that is not; so a run that was stopped ends with the same weights.
    """

    def __init__(
        self,
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
    ) -> None:
        """Makes the model and everything around it; restores nothing yet.

        Args:
          config: Settings of the run.
          make_model: Makes the model; called once, in the strategy's scope.
          train: Training sequences, arrays `[T, ...]`.
          valid: Validation sequences.
          workdir: Claimed for this process.
          unit: In what losses are shown.
          has_latents: False for a model whose KL term is 0.
          screen: Shows how the run goes on.
          show: Writes what else a validation shows to the board.
        """
        self._config = config
        self._valid = valid[: config.valid_sequences or None]
        self._workdir = workdir
        self._unit = unit
        self._has_latents = has_latents
        self._screen = screen
        self._show = show
        self._strategy = make_strategy()
        self.model, self._optimizer = make_model_and_optimizer(config, make_model, self._strategy)
        with self._strategy.scope():
            self._best = [tf.Variable(v.value) for v in self.model.trainable_variables]
        self._data = TrainingData(config, train)
        self.model.length_model.fit(self._data.lengths)
        self._schedule = Schedule(config, self._data.steps_per_epoch, has_latents)
        self._step = TrainStep.from_config(
            config,
            self.model,
            self._optimizer,
            self._strategy,
            batch_spec(train, config.batch_size, config.max_batch_steps),
        )
        self._valid_terms = SplitTerms(
            self.model,
            config.valid_samples,
            config.batch_size,
            importance=False,
            max_batch_steps=config.max_batch_steps,
        )
        self._store = CheckpointStore(
            workdir.checkpoints,
            report=screen.line,
            model=self.model,
            optimizer=self._optimizer,
            best=self._best,
        )
        self._state = RunState()
        self._lengths: set[int] = set()  # Of the batches that were met: each is compiled once.
        self._detail = ""
        self._progress = Progress(unit, has_latents)

    def run(self) -> RunSummary:
        """Trains to the end of the run; the model then has the best weights.

        Raises:
          NonFiniteError: If a value went non-finite.
        """
        resumes = self._resume()
        state, total = self._state, self._schedule.total_steps
        if self._schedule.ramp_end >= total:
            self._screen.line(
                f"note: the KL weight reaches 1 at step {self._schedule.ramp_end}, and the run "
                f"ends at step {total}: its last weights count as the best"
            )
        self._started = time.perf_counter() - state.wall_seconds
        if state.step < total:
            self._board = Board(self._workdir.tensorboard, state.step)
            self._progress.start_window()
            while state.step < total:
                for batches in self._data.rest_of_epoch(state.step):
                    self._make_step(batches)
                    if state.step == total:
                        break
            self._board.close()
        if state.best_loss is not None:
            for variable, best in zip(self.model.trainable_variables, self._best, strict=True):
                variable.assign(best)
        return RunSummary(
            epochs=state.step / self._data.steps_per_epoch,
            steps=state.step,
            wall_seconds=state.wall_seconds,
            resumed_from_steps=resumes,
        )

    def _resume(self) -> list[int]:
        """Restores the newest whole checkpoint; returns all steps at which the run was resumed."""
        resumes = self._workdir.read_resumes()
        restored = self._store.restore()
        if restored is not None:
            self._state = RunState.from_dict(restored)
            if self._state.step < self._schedule.total_steps:
                resumes = [*resumes, self._state.step]
                write_json(self._workdir.resumes_file, resumes)
                self._screen.line(f"resumed from the checkpoint of step {self._state.step}")
        return resumes

    def _make_step(self, batches: Sequence[Batch]) -> None:
        """Makes one step, and then what is due after it."""
        config, schedule, state = self._config, self._schedule, self._state
        weight = schedule.kl_weight(state.step)
        learning_rate = schedule.learning_rate(state.step, state.plateau)
        self._optimizer.learning_rate.assign(learning_rate)
        self._show_step(batches)
        traces, start = self._step.num_traces, time.perf_counter()
        terms = self._step(batches, weight, state.step)
        traced = self._step.num_traces > traces
        self._progress.add_step(terms, time.perf_counter() - start if traced else 0.0)
        state.step += 1

        last = state.step == schedule.total_steps
        if last or state.step % config.log_steps == 0:
            self._log(weight, learning_rate)
        if last or state.step % schedule.eval_steps == 0:
            self._validate(ramp_over=weight == 1.0)
        if last or state.step % config.checkpoint_steps == 0:
            self._save()

    def _show_step(self, batches: Sequence[Batch]) -> None:
        """Says what the step that comes is, or for which new length it must be compiled first."""
        state, total = self._state, self._schedule.total_steps
        length = max(int(x.shape[1]) for x, _ in batches)
        compiles = self._config.compile_loops or self._config.jit or not self._lengths
        if length in self._lengths or not compiles:
            self._screen.now("training", state.step, total, self._detail)
            return
        self._lengths.add(length)
        count = f"length {len(self._lengths)} of {self._data.num_lengths}"
        self._screen.now(f"compiling for {length} {self._unit.symbols}", detail=count)

    def _log(self, weight: float, learning_rate: float) -> None:
        """Ends a window of steps: checks it, and shows its means."""
        self._check_finite()
        step, total = self._state.step, self._schedule.total_steps
        validations = math.ceil((total - step) / self._schedule.eval_steps)
        window = self._progress.end_window(weight, learning_rate)
        eta = self._progress.remaining(total - step, validations)
        self._screen.log(self._progress.line(window, step, total, eta))
        self._detail = self._progress.detail(window, eta)
        self._board.scalars("train", step, self._progress.scalars(window))

    def _validate(self, ramp_over: bool) -> None:
        """Measures the bound on the validation split; keeps the weights if they are the best."""
        self._check_finite()
        state, unit, config = self._state, self._unit, self._config
        start = time.perf_counter()
        progress = show_split_progress(self._screen, "validating")
        terms = self._valid_terms(self._valid, config.seed, progress)
        report = terms.report(unit, self._has_latents)
        loss = report[unit.name]
        if not math.isfinite(loss):
            self._stop(state.step, "validation loss")
        best = state.note_validation(loss, ramp_over, config)
        if best:
            for kept, variable in zip(self._best, self.model.trainable_variables, strict=True):
                kept.assign(variable.value)
        names = (unit.name, f"reconstruction_{unit.name}", f"kl_{unit.name}")
        values = {name: report[name] for name in names if report[name] is not None}
        scalars = {f"loss/{name}": value for name, value in values.items()}
        self._board.scalars("valid", state.step, scalars)
        if self._show:
            self._show(self.model, self._board, state.step)
        self._board.flush()
        self._progress.add_validation(time.perf_counter() - start)
        shown = ", ".join(f"{name} {value:.3f}" for name, value in values.items())
        mark = ", the best so far" if best else ""
        self._screen.line(f"validation at step {state.step}: {shown}{mark}")

    def _save(self) -> None:
        """Writes a checkpoint of finite weights."""
        self._check_finite()
        start = time.perf_counter()
        self._state.wall_seconds = start - self._started
        self._board.flush()
        self._store.save(self._state.step, self._state.to_dict())
        self._progress.pause(time.perf_counter() - start)

    def _check_finite(self) -> None:
        """Stops the run if a step since the last look, or a weight, was not finite."""
        failure = self._step.failure
        if failure is None and not all(
            bool(tf.reduce_all(tf.math.is_finite(v))) for v in self.model.trainable_variables
        ):
            failure = self._state.step - 1, "weights"
        if failure is not None:
            self._stop(*failure)

    def _stop(self, step: int, term: str) -> NoReturn:
        """Ends the run with the step and the term that went non-finite."""
        steps = self._store.steps
        kept = f"that of step {steps[-1]}" if steps else "none yet"
        raise NonFiniteError(
            f"step {step}: the {term} went non-finite and the run has stopped "
            f"(last good checkpoint: {kept}, in {self._workdir.checkpoints}); "
            "try a lower --learning-rate in a new --workdir"
        )
