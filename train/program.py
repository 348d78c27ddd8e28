"""What every training program does: train, test, and leave the results."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from typing import Any

from train.config import TrainConfig
from train.files import read_json
from train.flags import parse_train_config
from train.quiet import import_tensorflow_quietly
from train.results import results_table
from train.task import Dataset, Task
from train.workdir import Workdir

__all__ = ["run_training"]


def run_training(task: Task, args: Sequence[str] | None = None) -> None:
    """Starts a run, goes on with it, or prints the numbers of a finished one.

    Args:
      task: Kind of data.
      args: Flags, or None for those of the process.

    Raises:
      UserError: If the input is bad.
      SystemExit: With status 1 if the training went non-finite, as `parse_train_config` otherwise.
    """
    # What needs no TensorFlow comes first, so that bad input is refused at once.
    config = parse_train_config(task.config, args)
    workdir = Workdir(config.run_directory)
    settings: dict[str, Any] = {"task": config.task, "train": config.to_dict()}
    workdir.check(settings)

    dataset = task.load(config)
    settings["dataset_sha256"] = dataset.sha256
    workdir.check(settings)
    if workdir.results_file.exists():
        print("this run has finished:")
    else:
        print(task.describe(dataset))
        import_tensorflow_quietly()
        from bijectors import compiled_loops

        with compiled_loops(config.compile_loops):
            _train(task, config, settings, dataset, workdir)
    results = read_json(workdir.results_file)
    print()
    print(results_table("test", results["test"], task.unit))
    task.print_samples(workdir.path, results["samples"])
    print(f"\nthe run lies in {workdir.path}")


def _train(
    task: Task, config: TrainConfig, settings: dict[str, Any], dataset: Dataset, workdir: Workdir
) -> None:
    """Trains, tests, and writes what a finished run leaves."""
    from tf_latentflow import build_model
    from train.devices import peak_memory_gib
    from train.finished_run import save_model, write_results
    from train.loop import Trainer
    from train.model_config import model_config_of
    from train.run_state import NonFiniteError
    from train.split_results import split_results

    model_config = model_config_of(task, config, dataset)
    settings["model"] = model_config.to_dict()
    workdir.claim(settings)
    valid = task.encode(model_config, dataset.valid)
    trainer = Trainer(
        config,
        lambda: build_model(model_config),
        task.encode(model_config, dataset.train),
        valid,
        workdir,
        task.unit,
        has_latents=model_config.is_flow,
        report=_report,
        show=task.show(model_config, valid, config),
    )
    try:
        summary = trainer.run()
    except NonFiniteError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    model = trainer.model
    save_model(model, workdir)
    _report(
        f"testing on {len(dataset.test)} {task.unit.sequences}, {config.test_samples} samples each"
    )
    test = split_results(
        task,
        model,
        dataset.test,
        num_samples=config.test_samples,
        seed=config.seed,
        batch_size=config.batch_size,
        max_batch_steps=config.max_batch_steps,
    )
    write_results(
        workdir,
        task,
        config,
        dataset,
        model,
        test=test,
        train={**dataclasses.asdict(summary), "peak_memory_gib": peak_memory_gib()},
    )


def _report(line: str) -> None:
    """Prints a line at once, also into a file or a pipe."""
    print(line, flush=True)
