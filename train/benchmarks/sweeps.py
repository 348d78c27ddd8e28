"""How the time grows with the length, the latent size, the batch and the number of samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from tf_latentflow import ModelConfig
from train.benchmarks import work
from train.benchmarks.rows import paper_config
from train.benchmarks.unit import time_in_units

__all__ = ["PICTURES", "Point", "Sweep", "points"]


class Sweep(NamedTuple):
    """A panel of a picture: the time of some work against one number.

    Attributes:
      name: What is done.
      quantity: What the number is.
      values: Its values.
      lines: Names of the lines.
      work: Makes what is timed, from the name of a line and a value.
    """

    name: str
    quantity: str
    values: Sequence[int]
    lines: Sequence[str]
    work: Callable[[str, int], work.Work]


class Point(NamedTuple):
    """One measurement of a sweep, in units and in seconds."""

    line: str
    value: int
    units: float
    seconds: float


def points(sweep: Sweep, repeats: int) -> Iterator[Point]:
    """Measures a sweep."""
    for line in sweep.lines:
        for value in sweep.values:
            timing = time_in_units(sweep.work(line, value), repeats)
            yield Point(line, value, timing.units, timing.seconds)


def _small(model: str, **sizes: int) -> ModelConfig:
    config = ModelConfig.from_name(model, preset="small", vocab_size=51, max_length=400)
    return dataclasses.replace(config, **sizes)


_FLOWS = ("af-af", "af-scf", "iaf-scf")

# Figure 7 of the paper, with two models more.
_SAMPLING = (
    Sweep(
        "sampling one sequence, published sizes",
        "length T",
        (25, 50, 100, 200, 288),
        ("lstm", *_FLOWS),
        lambda model, length: work.sample(paper_config(model), 1, length),
    ),
)

_TRAINING = (
    Sweep(
        "training step, B = 32, preset small",
        "length T",
        (25, 50, 100, 200, 400),
        ("lstm", *_FLOWS),
        lambda model, length: work.train_step(_small(model), 32, length),
    ),
    Sweep(
        "training step, T = 100, B = 32, preset small",
        "latent size H",
        (8, 16, 32, 64),
        _FLOWS,
        lambda model, size: work.train_step(_small(model, latent_size=size), 32, 100),
    ),
    Sweep(
        "training step, T = 100, preset small",
        "batch size B",
        (8, 16, 32, 64, 128),
        ("lstm", *_FLOWS),
        lambda model, size: work.train_step(_small(model), size, 100),
    ),
    Sweep(
        "training step, T = 100, B = 32, preset small",
        "samples S of z",
        (1, 2, 5, 10),
        _FLOWS,
        lambda model, samples: work.train_step(_small(model), 32, 100, samples),
    ),
)

# By the file that shows them.
PICTURES: dict[str, tuple[Sweep, ...]] = {"sampling.png": _SAMPLING, "training.png": _TRAINING}
