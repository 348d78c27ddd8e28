"""Trains a model of polyphonic music and tests it: `python -m train.polyphonic_music`.

Without flags: the latent flow `chords` at preset `small`, on the chorales by Bach that come with
music21. The same command resumes an interrupted run, or prints the results of a finished one.
`--help` lists the flags. Afterwards:

    tensorboard --logdir WORKDIR
    python -m train.evaluate WORKDIR --split test --samples 50
    python -m train.sample WORKDIR -n 4 --length 128 --out DIR
    python -m train.sample WORKDIR -n 4 --vary MY_PIECE.mid --amount 0.3 --out DIR

It needs the extra `music`: `pip install '.[music]'`.
"""

from __future__ import annotations

from collections.abc import Sequence

from train.data.music.config import MusicConfig
from train.data.music.sets import load
from train.runs.program import run_training
from train.support.errors import run_program

__all__ = ["load", "main"]


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program; see `run_training`."""
    run_training(MusicConfig, args)


if __name__ == "__main__":
    run_program(main, "interrupted: the same command resumes this run")
