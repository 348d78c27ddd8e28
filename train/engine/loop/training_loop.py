"""The training loop: steps, validations and checkpoints, for any backend and kind of data."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, NoReturn

from train.engine.checkpoint_folders import CheckpointFolders
from train.engine.loop.backend import Backend
from train.engine.loop.calls import CallQueue
from train.engine.loop.record import Record
from train.engine.order import Call, TrainingOrder
from train.engine.progress import Progress, show_split_progress
from train.engine.run_state import NonFiniteError, RunState
from train.engine.schedules import Schedule
from train.engine.settings import LoopSettings
from train.support.screen import Screen
from train.support.units import Unit

__all__ = ["TrainingLoop"]


class TrainingLoop:
    """Trains a model, or resumes the training from a checkpoint.

    All random numbers and the order of the data are functions of the seed and the step, and
    checkpoints contain everything else. A run that was interrupted and resumed therefore ends with
    the same weights as an uninterrupted one.
    """

    def __init__(
        self,
        config: LoopSettings,
        backend: Backend,
        order: TrainingOrder,
        record: Record,
        checkpoints: CheckpointFolders,
        screen: Screen,
        unit: Unit,
        *,
        has_latents: bool,
        operations_per_symbol: float | None = None,
    ) -> None:
        """Restores the newest intact checkpoint, if there is one.

        Args:
          config: Settings of the run.
          backend: Computes the steps; in its initial state.
          order: The batches of each step.
          record: Receives the measurements.
          checkpoints: The checkpoints of the run.
          screen: Shows the progress.
          unit: Unit of the losses that are shown.
          has_latents: False for a model whose KL term is 0.
          operations_per_symbol: See `Progress`.

        Raises:
          UserError: The checkpoint belongs to another model or another version.
        """
        self._config = config
        self._backend = backend
        self._order = order
        self._record = record
        self._screen = screen
        self._unit = unit
        self._has_latents = has_latents
        self._schedule = Schedule(config, order.steps_per_epoch, has_latents)
        self._progress = Progress(unit, has_latents, operations_per_symbol)
        self._checkpoints = checkpoints
        self._state = RunState()
        self._calls = CallQueue(backend, record, self._progress)
        self._detail = ""
        self._resume()

    @property
    def step(self) -> int:
        """Steps made."""
        return self._state.step

    @property
    def is_over(self) -> bool:
        """Whether all steps are made."""
        return self._state.step >= self._schedule.total_steps

    @property
    def summary(self) -> dict[str, Any]:
        """The entry of `results.json` about the training; the number of epochs has fractions."""
        state = self._state
        return {
            "epochs": state.step / self._order.steps_per_epoch,
            "steps": state.step,
            "wall_seconds": state.wall_seconds,
            "resumed_from_steps": state.resumed_from_steps,
        }

    def run(self, should_stop: Callable[[], bool] = lambda: False) -> bool:
        """Trains to the end, or until told to stop. At the end the model has the best weights.

        Args:
          should_stop: Asked after each call; if true, the run stops with a checkpoint.

        Returns:
          Whether all steps have been made.

        Raises:
          NonFiniteError: A value is not finite.
        """
        state, schedule = self._state, self._schedule
        if self.is_over:
            self.restore_best()
            return True
        total = schedule.total_steps
        self._record.begin(state.step)
        if schedule.kl_weight(total - 1) < 1:
            self._screen.line(
                f"note: the KL weight reaches 1 only at step {schedule.ramp_end}, but the run "
                f"ends at step {total}, so the last weights count as the best"
            )
        self._started = time.perf_counter() - state.wall_seconds
        self._progress.start_window()
        while not self.is_over:
            self._make_call(self._order.call_at(state.step, self._next_stop() - state.step))
            stop = should_stop()
            if self.is_over or state.step % schedule.eval_steps == 0:
                self._validate()
            if self.is_over or stop or state.step % self._config.checkpoint_steps == 0:
                self._save()
            if stop:
                self._screen.line(f"stopped at step {state.step}, with a checkpoint")
                break
        if self.is_over:
            self.restore_best()
        return self.is_over

    def restore_best(self) -> None:
        """Sets the weights of the model to the best so far, if there has been a validation."""
        if math.isfinite(self._state.plateau.best):
            self._backend.restore_best()

    def _resume(self) -> None:
        found = self._checkpoints.newest()
        if found is None:
            return
        folder, fields = found
        self._backend.read_state(folder)
        self._state = RunState.from_dict(fields)
        if not self.is_over:
            self._state.resumed_from_steps.append(self._state.step)
            self._screen.line(f"resumed from the checkpoint of step {self._state.step}")

    def _seconds(self) -> float:
        """Time of the training so far, over all processes."""
        return time.perf_counter() - self._started

    def _next_stop(self) -> int:
        """The next step after which there is a validation or a checkpoint, or the run ends."""
        intervals = (self._schedule.eval_steps, self._config.checkpoint_steps)
        step = self._state.step
        return min(self._schedule.total_steps, *((step // n + 1) * n for n in intervals))

    def _make_call(self, call: Call) -> None:
        """Starts the steps of a call, and reads the terms of earlier ones."""
        state, steps = self._state, range(call.first, call.first + len(call.steps))
        weights = [self._schedule.kl_weight(step) for step in steps]
        rates = [self._schedule.learning_rate(step, state.plateau) for step in steps]
        self._say_what_comes(call)
        self._calls.start(call, weights, rates)
        state.step += len(steps)
        interval = self._config.log_steps
        if self.is_over or state.step // interval > call.first // interval:
            self._log(weights[-1], rates[-1])

    def _say_what_comes(self, call: Call) -> None:
        """Shows that the run is training, or the length for which it compiles."""
        met = self._calls.met
        new = call.bounds - met
        if new:
            count = f"length {len(met | new)} of {len(self._order.boundaries)}"
            self._screen.now(f"compiling for {max(new)} {self._unit.symbols}", detail=count)
        else:
            total = self._schedule.total_steps
            self._screen.now("training", self._state.step, total, self._detail)

    def _settle(self) -> None:
        """Waits for all calls, and stops the run if a term of their steps was not finite."""
        self._calls.settle()
        failure = self._backend.failure()
        if failure is not None:
            self._stop(*failure)

    def _log(self, kl_weight: float, learning_rate: float) -> None:
        """Ends a window of steps: checks its terms, and shows their means."""
        self._settle()
        step, total = self._state.step, self._schedule.total_steps
        # That of this step, if it has one, is still to come.
        every = self._schedule.eval_steps
        validations = math.ceil(total / every) - (step - 1) // every
        window = self._progress.end_window(kl_weight, learning_rate)
        eta = self._progress.remaining(total - step, validations)
        self._screen.log(self._progress.line(window, step, total, eta))
        self._detail = self._progress.detail(window, eta)
        self._record.window(step, self._progress.scalars(window))

    def _validate(self) -> None:
        """Evaluates the validation split, and keeps the weights if they are the best so far."""
        self._settle()
        state, unit = self._state, self._unit
        start = time.perf_counter()
        terms = self._backend.validate(show_split_progress(self._screen, "validating"))
        report = terms.report(unit, self._has_latents)
        loss = report[unit.name]
        if not math.isfinite(loss):
            self._stop(state.step, "validation loss")
        ramp_over = self._schedule.kl_weight(state.step - 1) == 1.0  # Until then, nothing counts.
        best = ramp_over and loss < state.plateau.best
        if ramp_over:
            plateau, config = state.plateau, self._config
            state.plateau = plateau.update(loss, config.plateau_patience, config.plateau_factor)
        if best:
            self._backend.keep_best()
        self._record.validation(state.step, self._seconds(), report, best)
        self._progress.add_validation(time.perf_counter() - start)
        shown = [f"{name} {value:.3f}" for name, value in unit.losses(report).items()]
        mark = ", the best so far" if best else ""
        self._screen.line(f"validation at step {state.step}: {', '.join(shown)}{mark}")

    def _save(self) -> None:
        """Writes a checkpoint; ends the run if the weights are not finite."""
        self._settle()
        if not self._backend.weights_are_finite():
            self._stop(self._state.step - 1, "weights")
        start = time.perf_counter()
        self._state.wall_seconds = self._seconds()
        self._record.flush()
        self._checkpoints.save(self._state.step, self._state.to_dict(), self._backend.write)
        self._progress.pause(time.perf_counter() - start)

    def _stop(self, step: int, term: str) -> NoReturn:
        """Ends the run with a message that names the step and the term."""
        self._record.flush()
        steps = self._checkpoints.steps
        kept = f"that of step {steps[-1]}" if steps else "none yet"
        what = term.replace("_", " ")
        raise NonFiniteError(
            f"step {step}: the {what} is not finite, so the run has stopped (last good "
            f"checkpoint: {kept}, in {self._checkpoints.directory}); train again in another "
            "folder with a lower --learning-rate"
        )
