"""How the time grows with the length, the latent size, the batch and the number of samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tf_latentflow import ModelConfig
from train.benchmark import work
from train.benchmark.rows import paper_config
from train.benchmark.unit import time_in_units

__all__ = ["MODELS", "PICTURES", "Point", "Sweep", "measure", "sampling_sweep"]

_FLOWS = ("af-af", "af-scf", "iaf-scf")
MODELS = ("lstm", *_FLOWS)


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


def measure(sweep: Sweep, line: str, value: int, repeats: int) -> Point:
    """Measures one point of a sweep."""
    timing = time_in_units(sweep.work(line, value), repeats)
    return Point(line, value, timing.units, timing.seconds)


def sampling_sweep(
    name: str,
    models: Sequence[str],
    lengths: Sequence[int],
    config: Callable[[str], ModelConfig],
) -> Sweep:
    """The time to draw one sequence against its length, `config` giving a model's sizes."""
    return Sweep(
        name,
        "length T",
        lengths,
        models,
        lambda model, length: work.sample(config(model), 1, length),
    )


def _small(model: str, **sizes: int) -> ModelConfig:
    config = ModelConfig.from_name(model, preset="small", vocab_size=51, max_length=400)
    return dataclasses.replace(config, **sizes)


# Of text alone; `train.paper.figures.sampling_time` has music too.
_SAMPLING = (
    sampling_sweep(
        "sampling one sequence, published sizes", MODELS, (25, 50, 100, 200, 288), paper_config
    ),
)

_TRAINING = (
    Sweep(
        "training step, B = 32, preset small",
        "length T",
        (25, 50, 100, 200, 400),
        MODELS,
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
        MODELS,
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
