"""Evaluates a trained model: `python -m train.evaluate WORKDIR --split test --samples 50`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import tyro

from train.engine.results_table import results_table
from train.runs.saved_run import read_run
from train.support.errors import UserError, run_program
from train.support.flags import parse_flags
from train.support.startup import import_tensorflow_quietly

__all__ = ["EvaluateConfig", "main"]


@dataclasses.dataclass(frozen=True)
class EvaluateConfig:
    """Likelihood of a trained model, of text or of music, on a split of its dataset or another."""

    workdir: tyro.conf.Positional[Path]
    """Folder of a finished run."""
    split: Literal["train", "valid", "test"] = "test"
    """Part of the dataset."""
    samples: int = 50
    """Importance samples [samples of each sequence]."""
    seed: int | None = None
    """Seed of the samples. None: that of the run, which gives the numbers of its results.json."""
    dataset: str | None = None
    """Another dataset. None: that of the run."""
    data_dir: Path | None = None
    """Folder with the files of the dataset. None: that of the run."""
    batch_size: int | None = None
    """Sequences that go through the model at once [sequences]. None: that of the run."""
    json: bool = False
    """Print the numbers as JSON."""


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program; `args` are its flags, or None for those of the process.

    Raises:
      UserError: If the input is bad.
    """
    config = parse_flags(EvaluateConfig, "python -m train.evaluate", args)
    for flag, value in (("samples", config.samples), ("batch-size", config.batch_size)):
        if value is not None and value < 1:
            raise UserError(f"--{flag} expects a number above 0; got {value}")
    if config.seed is not None and not 0 <= config.seed < 2**31:
        raise UserError(f"--seed expects a whole number from 0 to 2147483647; got {config.seed}")
    run = read_run(config.workdir)
    named = run.config
    if config.dataset is not None:
        named = dataclasses.replace(named, dataset=config.dataset, data_dir=config.data_dir)
    elif config.data_dir is not None:
        named = dataclasses.replace(named, data_dir=config.data_dir)
    dataset = named.load()
    if config.dataset is None and dataset.sha256 != run.dataset_sha256:
        raise UserError(
            f"{dataset.name} is no longer the dataset that the run was trained on: "
            "restore it, or name another with --dataset"
        )
    import_tensorflow_quietly()
    from train.runs.testing import evaluate_run

    results = evaluate_run(
        run,
        dataset,
        config.split,
        num_samples=config.samples,
        seed=config.seed,
        batch_size=config.batch_size,
    )
    if config.json:
        print(json.dumps(results, indent=2))
    else:
        print(results_table(config.split, results, run.config.unit))


if __name__ == "__main__":
    run_program(main)
