"""Evaluates a trained model: `python -m train.evaluate WORKDIR --split test --samples 50`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import tyro

from train.config import TrainConfig
from train.errors import UserError, run_program
from train.flags import parse_flags
from train.results import results_table
from train.saved_run import load_model, read_settings
from train.text.corpus import load_corpus

__all__ = ["EvaluateConfig", "main"]


@dataclasses.dataclass(frozen=True)
class EvaluateConfig:
    """Bits per character of a trained model on a split of its dataset, or of another one."""

    workdir: tyro.conf.Positional[Path]
    """Folder of a finished run."""
    split: Literal["train", "valid", "test"] = "test"
    """Part of the dataset."""
    samples: int = 50
    """Importance samples [samples of each sentence]."""
    seed: int | None = None
    """Seed of the samples. None: that of the run, which gives the numbers of its results.json."""
    dataset: str | None = None
    """Another dataset. None: that of the run."""
    data_dir: Path | None = None
    """Folder with the files of ptb. None: that of the run."""
    batch_size: int | None = None
    """Sentences that go through the model at once [sentences]. None: that of the run."""
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
    settings = read_settings(config.workdir)
    trained = TrainConfig.from_dict(settings["train"])
    data_dir = config.data_dir if config.data_dir or config.dataset else trained.data_dir
    max_length = settings["model"]["max_length"]
    corpus = load_corpus(config.dataset or trained.dataset, data_dir, max_length)
    if config.dataset is None and corpus.sha256 != settings["dataset_sha256"]:
        raise UserError(
            f"{corpus.name} is no longer the dataset that the run was trained on: "
            "restore it, or name another with --dataset"
        )

    model, vocabulary = load_model(config.workdir)
    from train.metrics import BITS_PER_CHARACTER, evaluate_split
    from train.progress import show_split_progress
    from train.text.samples import encode_all

    sequences = encode_all(getattr(corpus, config.split), vocabulary)
    results = evaluate_split(
        model,
        sequences,
        BITS_PER_CHARACTER,
        has_latents=model.config.is_flow,
        num_samples=config.samples,
        seed=trained.seed if config.seed is None else config.seed,
        batch_size=config.batch_size or trained.batch_size,
        progress=show_split_progress(),
    )
    results["num_unknown"] = sum(vocabulary.count_unknown(x) for x in sequences)
    print(json.dumps(results, indent=2) if config.json else results_table(config.split, results))


if __name__ == "__main__":
    run_program(main)
