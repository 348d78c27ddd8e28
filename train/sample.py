"""Draws samples: `python -m train.sample WORKDIR -n 10 --length 80 --temperature 0.8 --seed 0`.

A model of text prints the samples and nothing else, one a line. A model of music writes a MIDI file
and a picture of each, and prints their paths:

    python -m train.sample WORKDIR -n 4 --length 128 --out DIR
    python -m train.sample WORKDIR -n 4 --prime MY_PIECE.mid --amount 0.3
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
from train.saved_run import load_model, read_run

__all__ = ["SampleConfig", "main"]


@dataclasses.dataclass(frozen=True)
class SampleConfig:
    """Samples of a trained model: text, one a line, or music, as MIDI files with pictures."""

    workdir: tyro.conf.Positional[Path]
    """Folder of a finished run."""
    num: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 10
    """Number of samples."""
    length: int | None = None
    """Length of each [characters, or time steps]. None: drawn from the training split's lengths."""
    temperature: float = 1.0
    """0: the most probable everywhere; 1: as the model has it [factor of the noise]."""
    seed: int = 0
    """The same seed gives the same samples."""
    out: Path | None = None
    """Music: folder for the files. None: samples, in WORKDIR."""
    prime: Path | None = None
    """Music: a MIDI file to vary, by way of its latents, instead of drawing pieces."""
    amount: float | None = None
    """Music: how far from --prime, from 0 (as the model reads it) to 1 (a new piece). None: 0.3."""


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program; `args` are its flags, or None for those of the process.

    Raises:
      UserError: If the input is bad.
    """
    flags = parse_flags(SampleConfig, "python -m train.sample", args)
    if flags.num < 1:
        raise UserError(f"-n expects a number above 0; got {flags.num}")
    if not (math.isfinite(flags.temperature) and flags.temperature >= 0):
        raise UserError(f"--temperature expects a number of at least 0; got {flags.temperature}")
    if not 0 <= flags.seed < 2**31:
        raise UserError(f"--seed expects a whole number from 0 to 2147483647; got {flags.seed}")
    run = read_run(flags.workdir)
    longest = run.model["max_length"]
    if flags.length is not None and not 1 <= flags.length <= longest:
        symbols = run.task.unit.symbols
        raise UserError(f"--length expects 1 to {longest} {symbols}; got {flags.length}")
    run.task.check_sample_flags(flags, run.model)
    run.task.sample(load_model(flags.workdir), flags, run.config)


if __name__ == "__main__":
    run_program(main)
