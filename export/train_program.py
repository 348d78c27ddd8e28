"""Exports a training as a bundle that JAX can run without TensorFlow.

    python -m export.train_program --model af-af --preset paper --dataset ptb --out DIR
    python DIR/run_bundle.py --out RUN                # there: needs only jax and numpy
    python -m export.import_weights RUN/result --workdir WORKDIR

It takes all flags of `train.char_lm` or, for a dataset of music, of `train.polyphonic_music`.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro

from train.data.tasks import TASKS, task_of
from train.data.text.config import TextConfig
from train.settings.config import TrainConfig
from train.settings.parsing import ShowFlag, parse_with_extra
from train.support.errors import UserError, run_program
from train.support.files import whole_folder
from train.support.flags import peek_flags
from train.support.ranges import POSITIVE
from train.support.startup import import_tensorflow_quietly

__all__ = ["main"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _BundleFlags(ShowFlag):
    """Settings of a bundle, in addition to those of the training."""

    # `task` is what a config calls its kind of data.
    kind: Annotated[Literal[*TASKS] | None, tyro.conf.arg(name="task")] = None
    """Kind of data. None: that of a named dataset; text for a path."""
    out: Path | None = None
    """Folder of the bundle. None: bundles/MODEL-DATASET-PRESET-SEED."""
    steps_per_call: Annotated[int, POSITIVE] = 16
    """Maximum number of steps that the device takes per call [optimiser steps]."""
    max_buckets: Annotated[int, POSITIVE] = 10
    """Maximum number of lengths that batches are padded to, each compiled separately [lengths]."""


@dataclasses.dataclass(frozen=True)
class _Peek:
    """The flags that determine which other flags there are."""

    task: str | None = None
    dataset: str | None = None


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program.

    Args:
      args: Its flags; None for those of the process.

    Raises:
      UserError: The input is invalid.
    """
    kind = _kind_of(args)
    config, flags = parse_with_extra(kind, _BundleFlags, "export.train_program", _HELP, args)
    _check_for_bundle(config)
    out = flags.out or Path("bundles") / config.run_directory.name
    if out.exists() and any(out.iterdir()):
        raise UserError(f"{out} holds files: choose another --out")
    dataset = config.load()
    print(dataset.describe())
    model_config = config.model_config(**dataset.model_fields())
    start = time.perf_counter()
    import_tensorflow_quietly()
    from export.bundle.writer import write_bundle

    with whole_folder(out) as temporary:
        write_bundle(
            temporary,
            config,
            model_config,
            dataset,
            steps=flags.steps_per_call,
            max_buckets=flags.max_buckets,
        )
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file()) / 2**20
    print(f"\nthe bundle is in {out}: {size:.1f} MiB, {time.perf_counter() - start:.0f} s")
    print("copy it to a machine with jax and numpy, and there: python run_bundle.py --out RUN")


_HELP = """Exports a training run as a bundle, which JAX runs where there is no TensorFlow.

`--preset` sets the other defaults; `--preset paper --help` shows those of paper.
"""


def _kind_of(args: Sequence[str] | None) -> type[TrainConfig]:
    """The class of settings for the kind of data that the flags name."""
    peek = peek_flags(_Peek, args)
    if peek.task in TASKS:
        return TASKS[peek.task]
    return task_of(peek.dataset) or TextConfig


def _check_for_bundle(config: TrainConfig) -> None:
    """Refuses settings of a run that no bundle can have."""
    if config.accumulation_steps > 1:
        raise UserError(
            "a bundle trains on one batch per step: give --accumulation-steps 1 and a larger "
            f"--batch-size; got {config.accumulation_steps} accumulation steps"
        )
    if config.vary is not None:
        raise UserError("--transpose is not available in a bundle; leave it out")
    if config.workdir is not None:
        raise UserError("--workdir is a flag of export.import_weights; give --out here")
    if config.workers is not None or config.worker_index is not None:
        raise UserError("a bundle has one process; leave out --workers and --worker-index")


if __name__ == "__main__":
    run_program(main)
