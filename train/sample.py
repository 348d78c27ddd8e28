"""Writes text: `python -m train.sample WORKDIR -n 10 --length 80 --temperature 0.8 --seed 0`.

Standard output has the samples and nothing else, one a line.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from train.errors import UserError, run_program
from train.flags import parse_flags
from train.saved_run import load_model, read_settings

__all__ = ["SampleConfig", "main"]


@dataclasses.dataclass(frozen=True)
class SampleConfig:
    """Samples of a trained model, one a line."""

    workdir: tyro.conf.Positional[Path]
    """Folder of a finished run."""
    num: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 10
    """Number of samples."""
    length: int | None = None
    """Length of each [characters]. None: drawn from the lengths of the training split."""
    temperature: float = 1.0
    """0: the most probable everywhere; 1: as the model has it [factor of the noise]."""
    seed: int = 0
    """The same seed gives the same samples."""


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program; `args` are its flags, or None for those of the process.

    Raises:
      UserError: If the input is bad.
    """
    config = parse_flags(SampleConfig, "python -m train.sample", args)
    if config.num < 1:
        raise UserError(f"-n expects a number above 0; got {config.num}")
    if not (math.isfinite(config.temperature) and config.temperature >= 0):
        raise UserError(f"--temperature expects a number of at least 0; got {config.temperature}")
    if not 0 <= config.seed < 2**31:
        raise UserError(f"--seed expects a whole number from 0 to 2147483647; got {config.seed}")
    longest = read_settings(config.workdir)["model"]["max_length"]
    if config.length is not None and not 1 <= config.length <= longest:
        raise UserError(f"--length expects 1 to {longest} characters; got {config.length}")

    model, vocabulary = load_model(config.workdir)
    from train.text.samples import draw_samples

    for text in draw_samples(
        model,
        vocabulary,
        config.num,
        seed=config.seed,
        temperature=config.temperature,
        length=config.length,
    ):
        print(text)


if __name__ == "__main__":
    run_program(main)
