"""Trains a bundle in a folder, tests it, and writes the result."""

from __future__ import annotations

import dataclasses
import math
import time
from pathlib import Path
from typing import Any

import jax

from export.bundle.device.arrays import round_to_bfloat16
from export.bundle.device.backend import JaxBackend
from export.bundle.device.contents import Bundle
from export.bundle.device.result import write_result
from export.bundle.device.run_log import RunLog
from train.engine.checkpoint_folders import CheckpointFolders
from train.engine.loop.interruption import deferred_signals
from train.engine.loop.training_loop import TrainingLoop
from train.engine.order import TrainingOrder
from train.engine.progress import show_split_progress
from train.engine.results_table import results_table
from train.support.errors import UserError
from train.support.files import read_json_or_refuse
from train.support.screen import Screen

__all__ = ["run_bundle"]


def run_bundle(
    bundle: Bundle,
    out: Path,
    *,
    max_seconds: float | None = None,
    checkpoint_steps: int | None = None,
    finish: bool = False,
    bfloat16: bool = False,
    part_mib: int | None = None,
) -> None:
    """Starts or resumes a training; at the end, tests the weights and prints the results.

    Args:
      bundle: The training.
      out: Folder of the run.
      max_seconds: Time after which to stop with a checkpoint [seconds]; None for no limit.
      checkpoint_steps: Steps between checkpoints; None for those of the settings.
      finish: Whether to end the training at the last checkpoint.
      bfloat16: Whether to round the final weights before the test.
      part_mib: Maximum size of a file of weights [MiB]; None for no limit.

    Raises:
      UserError: The folder contains the run of another bundle, or has no checkpoint to finish from.
      NonFiniteError: A value is not finite.
    """
    result_file = out / "result" / "result.json"
    if result_file.exists():
        if _read(result_file).get("bundle") != bundle.id:
            raise UserError(
                f"{result_file} is the result of another training: choose another --out"
            )
        print(f"the result already exists; delete {result_file} to compute it again")
    else:
        out.mkdir(parents=True, exist_ok=True)
        # Steps are counted in int64, as TensorFlow counts them.
        jax.config.update("jax_enable_x64", True)
        # What was compiled serves the next process too.
        jax.config.update("jax_compilation_cache_dir", str((out / "compiled").absolute()))
        screen = Screen()
        backend = JaxBackend(bundle, screen.line)
        try:
            log = RunLog(out / "log.jsonl")
            loop = _make_loop(bundle, backend, log, out, checkpoint_steps, screen)
            if finish and not loop.step:
                raise UserError(f"{out} has no checkpoint to finish from: leave out --finish")
            if not (finish or loop.is_over):
                device = jax.devices()[0]
                print(
                    f"training on {device.device_kind} ({device.platform}), jax {jax.__version__}"
                )
                print("compiling: a minute or two at the published sizes", flush=True)
                backend.programs.start_compiling("train", "valid")
                end = math.inf if max_seconds is None else time.perf_counter() + max_seconds
                with deferred_signals() as should_stop:
                    over = loop.run(lambda: should_stop() or time.perf_counter() > end)
                if not over:
                    print("the same command resumes this run")
                    return
            loop.restore_best()
            log.begin(loop.step)  # With `finish`, it may know of later steps.
            train = {**loop.summary, "device": jax.devices()[0].device_kind}
            training = {"train": train, "validations": log.validations}
            _test(bundle, backend, training, result_file.parent, bfloat16, part_mib, screen)
        finally:
            backend.programs.close()
    print()
    print(results_table("test", _read(result_file)["test"], bundle.unit))
    print(f"\nthe result is in {result_file.parent}: see export.import_weights")


def _read(result_file: Path) -> dict[str, Any]:
    return read_json_or_refuse(result_file, "delete it to compute it again")


def _make_loop(
    bundle: Bundle,
    backend: JaxBackend,
    log: RunLog,
    out: Path,
    checkpoint_steps: int | None,
    screen: Screen,
) -> TrainingLoop:
    config, manifest = bundle.config, bundle.manifest
    if checkpoint_steps:
        config = dataclasses.replace(config, checkpoint_steps=checkpoint_steps)
    order = TrainingOrder(
        config,
        backend.sequences["train"],
        bundle.programs["train"]["boundaries"],
        manifest["steps_per_call"],
    )
    return TrainingLoop(
        config,
        backend,
        order,
        log,
        CheckpointFolders(out / "checkpoints", screen.line),
        screen,
        bundle.unit,
        has_latents=manifest["has_latents"],
        operations_per_symbol=manifest["operations_per_symbol"],
    )


def _test(
    bundle: Bundle,
    backend: JaxBackend,
    training: dict[str, Any],
    folder: Path,
    bfloat16: bool,
    part_mib: int | None,
    screen: Screen,
) -> None:
    """Tests the weights and writes them with the numbers."""
    if bfloat16:
        backend.weights = [round_to_bfloat16(weight) for weight in backend.weights]
    samples = bundle.config.test_samples
    num_sequences, unit = len(backend.sequences["test"]), bundle.unit
    print(f"testing on {num_sequences} {unit.sequences}, {samples} samples each", flush=True)
    terms = backend.evaluate("test", show_split_progress(screen, "testing"))
    numbers = {
        "bundle": bundle.id,
        "settings": bundle.manifest["settings"],
        "test": {
            **terms.test_report(unit, bundle.manifest["has_latents"], samples),
            **bundle.manifest["test_numbers"],
        },
        **training,
    }
    write_result(
        folder,
        numbers,
        backend.model,
        rounded=bundle.manifest["num_weights"] if bfloat16 else 0,
        part_mib=part_mib,
    )
