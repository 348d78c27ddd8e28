"""Trains a model of text and tests it: `python -m train.char_lm [--model lstm] [--dataset ptb]`.

Without flags: the latent flow `codebook` at preset `small`, on the language reference that comes
with every Python, in about four minutes on two CPU cores. The same command resumes an interrupted
run, or prints the results of a finished one. `--help` lists the flags. Afterwards:

    tensorboard --logdir WORKDIR
    python -m train.evaluate WORKDIR --split test --samples 50
    python -m train.sample WORKDIR -n 10 --length 80 --temperature 0.8 --seed 0
"""

from __future__ import annotations

from collections.abc import Sequence

from train.data.text.config import TextConfig
from train.runs.program import run_training
from train.support.errors import run_program

__all__ = ["main"]


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program; see `run_training`."""
    run_training(TextConfig, args)


if __name__ == "__main__":
    run_program(main, "interrupted: the same command resumes this run")
