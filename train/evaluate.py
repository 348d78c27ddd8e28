"""Evaluates a trained model: `python -m train.evaluate MODEL --split test --samples 50`."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from train.data.dataset import Dataset, Encoding, Undivided
from train.engine.results_table import results_table
from train.runs.saved_run import SavedRun, read_run
from train.runs.too_long import refuse_too_long
from train.settings.config import TrainConfig
from train.settings.source import ModelSource
from train.support.errors import UserError, run_program
from train.support.flags import parse_flags
from train.support.ranges import POSITIVE, SEED
from train.support.screen import Screen
from train.support.startup import import_tensorflow_quietly

__all__ = ["EvaluateConfig", "main"]

_WHOLE = "without --split, the whole dataset is evaluated"


@dataclasses.dataclass(frozen=True)
class EvaluateConfig:
    """Likelihood of a trained model of text or music, on its own dataset or another one.

    A dataset with splits is evaluated on one of them. A file or folder without splits is evaluated
    as a whole. With --split it is split by a hash, as in training, and that split is evaluated.
    """

    model: tyro.conf.Positional[ModelSource]
    split: Literal["train", "valid", "test"] | None = None
    """Split to evaluate. None: test, or all of a file or folder without splits."""
    samples: Annotated[int, POSITIVE] = 50
    """Importance samples per sequence [samples]."""
    seed: Annotated[int | None, SEED] = None
    """Seed of the samples. None: that of the run, which reproduces its results.json."""
    dataset: str | None = None
    """Another dataset: a name, a file or a folder. None: that of the run."""
    data_dir: Path | None = None
    """Folder with the files of the dataset. None: that of the run."""
    batch_size: Annotated[int | None, POSITIVE] = None
    """Batch size [sequences]. None: that of the run."""
    json: bool = False
    """Print the numbers as JSON."""


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program.

    Args:
      args: Its flags; None for those of the process.

    Raises:
      UserError: The input is invalid.
    """
    config = parse_flags(EvaluateConfig, "python -m train.evaluate", args)
    run = read_run(config.model)
    split, dataset, sequences = _read_data(config, run)
    with Screen() as screen:
        screen.now("loading TensorFlow")
        import_tensorflow_quietly()
        from train.runs.saved_model import load_model
        from train.runs.testing import split_results

        given = {"seed": config.seed, "batch_size": config.batch_size}
        given = {name: value for name, value in given.items() if value is not None}
        results = split_results(
            load_model(run.source),
            dataset,
            sequences,
            dataclasses.replace(run.config, **given),
            num_samples=config.samples,
            screen=screen,
        )
    if config.json:
        print(json.dumps(results, indent=2))
    else:
        print(results_table(split, results, run.config.unit))


def _read_data(config: EvaluateConfig, run: SavedRun) -> tuple[str | None, Encoding, Sequence[Any]]:
    """Returns the name of the split (None for all), the dataset, and the sequences to evaluate.

    Prints to standard error what another dataset contains and what was left out of it.

    Raises:
      UserError: The dataset is not available, is not that of the run, or is too long.
    """
    own = config.dataset is None  # Its own dataset, that of the training.
    if own:
        named = dataclasses.replace(run.config, data_dir=config.data_dir or run.config.data_dir)
        if run.dataset_sha256 is None:
            raise UserError(
                f"{config.model} does not say what it was trained on: give data with --dataset"
            )
        if not (named.has_named_dataset or Path(named.dataset).exists()):
            raise UserError(
                f"the data that {config.model} was trained on, {named.dataset!r}, are not here: "
                "name their place with --dataset, and --split test for the split of results.json"
            )
    else:
        named = dataclasses.replace(run.config, dataset=config.dataset, data_dir=config.data_dir)
    undivided = not own and _is_undivided(named)
    dataset: Dataset | Undivided
    if undivided and config.split is None:
        split, dataset = None, named.load_undivided()
        sequences = dataset.sequences
    else:
        split, dataset = config.split or "test", _load(named, undivided)
        sequences = getattr(dataset, split)
        if own and dataset.sha256 != run.dataset_sha256:
            raise UserError(
                f"{dataset.name} is not the data that {config.model} was trained on, or it has "
                "changed since: restore it, or give other data with --dataset"
            )
    refuse_too_long(dataset.name, sequences, run.model_config.max_length, named.unit)
    if not own:
        print(dataset.describe(), file=sys.stderr)
    if undivided and split is not None:
        print(f"note: the {split} split was chosen by a hash; {_WHOLE}", file=sys.stderr)
    if remark := dataset.remark(run.model_config, sequences):
        print(f"note: {remark}", file=sys.stderr)
    return split, dataset, sequences


def _is_undivided(named: TrainConfig) -> bool:
    """Whether a dataset is an existing file or folder without splits."""
    is_path = not named.has_named_dataset and named.data_dir is None
    return is_path and Path(named.dataset).exists() and not named.is_divided()


def _load(named: TrainConfig, undivided: bool) -> Dataset:
    """Loads a dataset as splits, whether it has them or not."""
    try:
        return named.load()
    except UserError as error:
        raise UserError(f"{error}; {_WHOLE}" if undivided else str(error)) from None


if __name__ == "__main__":
    run_program(main)
