"""The training loop of a bundle: what `train.backend.loop` does, with JAX's arrays.

Every random number and the order of the data are functions of the seed and the step, and a
checkpoint holds all that is not; so a run that was stopped ends with the same weights.
"""

from __future__ import annotations

import functools
import math
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, NoReturn

import jax
import numpy as np

from export.bundle.device.arrays import round_to_bfloat16
from export.bundle.device.contents import Bundle
from export.bundle.device.device_state import DeviceState
from export.bundle.device.order import BatchOrder, Call
from export.bundle.device.programs_on_device import Programs
from export.bundle.device.result import write_result
from export.bundle.device.run_log import RunLog
from export.bundle.device.split_sums import split_sums
from train.engine.checkpoint_folders import CheckpointFolders
from train.engine.progress import Progress, show_split_progress
from train.engine.results_table import results_table
from train.engine.run_state import NonFiniteError, RunState
from train.engine.schedules import Schedule
from train.engine.step_terms import FAILURE_TERMS, StepTerms
from train.engine.sums import Sums
from train.support.errors import UserError
from train.support.files import read_json
from train.support.screen import Screen

__all__ = ["Runner"]

_CALLS_AHEAD = 2  # The device has the next call while the host reads what the one before reports.
_KEPT_CHECKPOINTS = 2
_report = functools.partial(print, flush=True)  # At once, also into a file or a pipe.


class _Started(NamedTuple):
    """A call that the device may still be at: its first step, and what its steps were given."""

    first: int
    terms: jax.Array
    weights: list[float]
    rates: list[float]


class Runner:
    """Trains a bundle in a folder, and goes on where an earlier process was stopped."""

    def __init__(self, bundle: Bundle, out: Path, checkpoint_steps: int | None = None) -> None:
        """Puts the state on the device: that of the newest checkpoint, or the initial one.

        Args:
          bundle: The training.
          out: Folder of the run.
          checkpoint_steps: Steps between checkpoints; None: those of the settings.

        Raises:
          UserError: If the folder holds the run of another bundle.
        """
        self._start = time.perf_counter()
        self._bundle, self._config, self._out = bundle, bundle.config, out
        self._checkpoint_steps = checkpoint_steps or bundle.config.checkpoint_steps
        self._result_file = out / "result" / "result.json"
        out.mkdir(parents=True, exist_ok=True)
        # Steps are counted in int64, as TensorFlow counts them.
        jax.config.update("jax_enable_x64", True)
        # What was compiled serves the next process too.
        jax.config.update("jax_compilation_cache_dir", str((out / "compiled").absolute()))
        self._programs = Programs(bundle)
        self._sequences = {split: bundle.sequences(split) for split in ("train", "valid", "test")}
        self._has_latents = bundle.manifest["has_latents"]
        self._order = BatchOrder(
            np.array([len(x) for x in self._sequences["train"]], np.int32),
            bundle.manifest["programs"]["train"]["boundaries"],
            bundle.manifest["steps_per_call"],
            self._config,
        )
        self._schedule = Schedule(self._config, self._order.steps_per_epoch, self._has_latents)
        self._folders = CheckpointFolders(out / "checkpoints", _KEPT_CHECKPOINTS, _report)
        self._run, self._resumes = RunState(), []
        self._state = DeviceState(bundle)
        self._resume()
        self._log = RunLog(out / "log.jsonl", self._run.step)
        self._pending: deque[_Started] = deque()
        self._progress = Progress(bundle.unit, self._has_latents)

    def train(self, max_seconds: float | None = None, finish: bool = False) -> bool:
        """Trains, to the end or for a time.

        Args:
          max_seconds: Time since this object was made after which to stop [seconds].
          finish: Counts the training as ended.

        Returns:
          Whether it has ended.

        Raises:
          NonFiniteError: If a value went non-finite.
        """
        run, total = self._run, self._schedule.total_steps
        if self._result_file.exists() or finish or run.step == total:
            return True
        device = jax.devices()[0]
        _report(f"training on {device.device_kind} ({device.platform}), jax {jax.__version__}")
        self._programs.start_compiling("train", "valid")
        self._clock = time.perf_counter() - run.wall_seconds
        self._progress.start_window()
        while run.step < total:
            self._make_call(self._order.call_at(run.step, self._next_stop() - run.step))
            last = run.step == total
            if last or run.step % self._schedule.eval_steps == 0:
                self._validate()
            saves = last or run.step % self._checkpoint_steps == 0
            stops = max_seconds is not None and time.perf_counter() - self._start > max_seconds
            if saves or stops:
                self._save()
            if stops and not last:
                _report(f"stopped at step {run.step}: the same command goes on")
                self._programs.close()
                return False
        return True

    def finish(self, *, bfloat16: bool, part_mib: int | None) -> None:
        """Tests the best weights and writes the result, unless it is there; prints it.

        Args:
          bfloat16: Rounds the weights, before the test.
          part_mib: Largest size of a file of weights [MiB], or None.
        """
        bundle, run, unit = self._bundle, self._run, self._bundle.unit
        if self._result_file.exists():
            _report(f"the result is there already; delete {self._result_file} to make it anew")
        else:
            if self._state.best is not None:
                self._state.weights = self._state.best
            if bfloat16:
                self._state.weights = [round_to_bfloat16(w) for w in self._state.weights]
            sequences = self._sequences["test"]
            _report(
                f"testing on {len(sequences)} {unit.sequences}, "
                f"{self._config.test_samples} samples each"
            )
            report = self._sums("test", show_split_progress(Screen(), "testing")).report(
                unit, self._has_latents
            )
            samples = self._config.test_samples if self._has_latents else 1
            numbers = {
                "bundle": bundle.id,
                "settings": bundle.manifest["settings"],
                "test": {**report, "num_samples": samples, **bundle.manifest["test_numbers"]},
                "train": {
                    "epochs": run.step / self._order.steps_per_epoch,
                    "steps": run.step,
                    "wall_seconds": run.wall_seconds,
                    "resumed_from_steps": self._resumes,
                    "device": jax.devices()[0].device_kind,
                },
            }
            write_result(
                self._result_file.parent,
                numbers,
                [v for v in bundle.variables if v.part != "training"],
                self._state.model,
                bfloat16=bfloat16,
                part_mib=part_mib,
            )
        self._programs.close()
        print()
        print(results_table("test", read_json(self._result_file)["test"], unit))
        print(f"\nthe result lies in {self._result_file.parent}: see export.import_weights")

    def _next_stop(self) -> int:
        """The next step after which there is something else to do than steps."""
        steps = (self._schedule.eval_steps, self._checkpoint_steps)
        step = self._run.step
        return min(self._schedule.total_steps, *((step // n + 1) * n for n in steps))

    def _make_call(self, call: Call) -> None:
        """Starts the steps of a call, and reads what earlier ones report."""
        run, count = self._run, len(call.batches)
        start = time.perf_counter()
        self._programs.wait("train", call.bucket)
        self._progress.pause(time.perf_counter() - start)  # Until it was compiled.
        inputs = self._order.arrays_of(call, self._sequences["train"])
        steps = range(run.step, run.step + len(inputs[0]))
        weights = [self._schedule.kl_weight(step) for step in steps]
        rates = [self._schedule.learning_rate(step, run.plateau) for step in steps]
        numbers = (np.array(weights, np.float32), np.array(rates, np.float32))
        which = (np.int64(run.step), np.int32(count))
        state = self._state.values
        terms = self._programs.train(call.bucket, state, *inputs, *numbers, *which)
        self._pending.append(_Started(run.step, terms, weights[:count], rates[:count]))
        while len(self._pending) >= _CALLS_AHEAD:
            self._read_terms()
        before, run.step = run.step, run.step + count
        log = self._config.log_steps
        if run.step == self._schedule.total_steps or run.step // log > before // log:
            self._show(weights[count - 1], rates[count - 1])

    def _read_terms(self) -> None:
        """Waits for the oldest call that is under way."""
        call = self._pending.popleft()
        rows = zip(np.asarray(call.terms).tolist(), call.weights, call.rates, strict=False)
        for i, (row, weight, rate) in enumerate(rows):
            terms = StepTerms(*row)
            self._progress.add_step(terms, 0.0)
            values = {**terms._asdict(), "kl_weight": weight, "learning_rate": rate}
            self._log.write(call.first + i + 1, **values)

    def _settle(self) -> None:
        """Waits for all calls, and stops the run if a step of theirs was not finite."""
        while self._pending:
            self._read_terms()
        self._log.flush()
        step, term = self._state.failure
        if step >= 0:
            self._stop(step, FAILURE_TERMS[term])

    def _show(self, weight: float, rate: float) -> None:
        """Ends a window of steps: checks it, and shows its means."""
        self._settle()
        step, total = self._run.step, self._schedule.total_steps
        window = self._progress.end_window(weight, rate)
        validations = math.ceil((total - step) / self._schedule.eval_steps)
        line = self._progress.line(
            window, step, total, self._progress.remaining(total - step, validations)
        )
        if window.rate is not None:
            operations = window.rate * self._bundle.manifest["operations_per_symbol"]
            line += f"  {operations / 1e12:.3g} TFLOP/s of products"
        _report(line)

    def _validate(self) -> None:
        """Measures the bound on the validation split; keeps the weights if they are the best."""
        self._settle()
        run, unit = self._run, self._bundle.unit
        start = time.perf_counter()
        report = self._sums("valid").report(unit, self._has_latents)
        loss = report[unit.name]
        if not math.isfinite(loss):
            self._stop(run.step, "validation loss")
        ramp_over = self._schedule.kl_weight(run.step - 1) == 1.0
        best = run.note_validation(loss, ramp_over, self._config)
        if best:
            self._state.best = self._state.weights
        self._progress.add_validation(time.perf_counter() - start)
        names = (unit.name, f"reconstruction_{unit.name}", f"kl_{unit.name}")
        shown = [f"{name} {report[name]:.3f}" for name in names if report[name] is not None]
        mark = ", the best so far" if best else ""
        self._log.write(run.step, valid=report, best=best)
        _report(f"validation at step {run.step}: {', '.join(shown)}{mark}")

    def _sums(self, split: str, progress: Callable[[int, int], None] | None = None) -> Sums:
        state, sequences = self._state.values, self._sequences[split]
        return split_sums(self._bundle, self._programs, state, split, sequences, progress)

    def _save(self) -> None:
        """Writes a checkpoint of finite weights."""
        self._settle()
        start = time.perf_counter()
        run = self._run
        run.wall_seconds = start - self._clock
        if not all(np.isfinite(weight).all() for weight in self._state.weights):
            self._stop(run.step - 1, "weights")
        fields = {"bundle": self._bundle.id, "run": run.to_dict(), "resumes": self._resumes}
        self._folders.save(run.step, fields, self._state.write)
        self._progress.pause(time.perf_counter() - start)

    def _resume(self) -> None:
        """Restores the newest whole checkpoint, if there is one."""
        found = self._folders.newest()
        if found is None:
            return
        folder, fields = found
        if fields.get("bundle") != self._bundle.id:
            raise UserError(f"{self._out} holds a run of another bundle: choose another --out")
        self._run, self._resumes = RunState.from_dict(fields["run"]), fields["resumes"]
        self._state.read(folder)
        if self._run.step < self._schedule.total_steps:
            self._resumes = [*self._resumes, self._run.step]
            _report(f"resumed from the checkpoint of step {self._run.step}")

    def _stop(self, step: int, term: str) -> NoReturn:
        """Ends the run with the step and the term that went non-finite."""
        self._programs.close()
        steps = self._folders.steps
        raise NonFiniteError(
            f"step {step}: the {term} went non-finite and the run has stopped (last good "
            f"checkpoint: {f'that of step {steps[-1]}' if steps else 'none yet'}); "
            "export the bundle with a lower --learning-rate"
        )
