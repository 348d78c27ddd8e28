"""The table of the benchmark: what is timed, its floor, and what the published program takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tf_latentflow import ModelConfig
from train.benchmark import operations, work
from train.benchmark.unit import UNIT_OPERATIONS, Machine

__all__ = ["REAL_RUNS", "ROWS", "Row", "paper_config"]


class Row(NamedTuple):
    """A line of the table; all times are in units.

    Attributes:
      name: What is done.
      work: Makes what is timed.
      floor: The least time that the operations, or the weights to be read, take on a machine.
      published: The time of the authors' program (PyTorch, two cores), if known.
      quick: Whether `--quick` has it too.
    """

    name: str
    work: Callable[[], work.Work]
    floor: Callable[[Machine], float]
    published: float | None = None
    quick: bool = False


def paper_config(model: str) -> ModelConfig:
    """A model at the published sizes, of 51 symbols."""
    return ModelConfig.from_name(model, preset="paper", vocab_size=51, max_length=288)


def _operations(count: float) -> Callable[[Machine], float]:
    return lambda machine: count / UNIT_OPERATIONS


def _train(
    model: str,
    published: float | None = None,
    num_samples: int = 1,
    mixed_precision: bool = False,
    quick: bool = False,
) -> Row:
    config = paper_config(model)
    kind = "bfloat16" if mixed_precision else "float32"
    return Row(
        f"{model} train step, B = 15, T = 100, S = {num_samples}, {kind}",
        lambda: work.train_step(config, 15, 100, num_samples, mixed_precision),
        _operations(operations.train_operations(config, 15, 100, num_samples)),
        published,
        quick,
    )


def _train_small(model: str, published: float | None = None) -> Row:
    config = ModelConfig.from_name(model, preset="small", vocab_size=51)
    return Row(
        f"{model} train step, hidden 128, B = 32, T = 100, S = 1, float32",
        lambda: work.train_step(config, 32, 100),
        _operations(operations.train_operations(config, 32, 100)),
        published,
        quick=model in ("af-af", "codebook", "lstm"),
    )


def _elbo(model: str, published: float) -> Row:
    config = paper_config(model)
    return Row(
        f"{model} bound, no gradients, B = 15, T = 100, S = 1",
        lambda: work.elbo(config, 15, 100),
        _operations(operations.elbo_operations(config, 15, 100)),
        published,
    )


def _log_likelihood(model: str) -> Row:
    config = paper_config(model)
    return Row(
        f"{model} log-likelihood, B = 15, T = 100, K = 50",
        lambda: work.log_likelihood(config, 15, 100),
        _operations(operations.elbo_operations(config, 15, 100, 50)),
    )


def _sample(
    model: str,
    num_steps: int,
    published: float | None = None,
    batch_size: int = 1,
    quick: bool = False,
) -> Row:
    config = paper_config(model)
    read = 4 * operations.step_weights(config) * num_steps
    count = operations.sample_operations(config, batch_size, num_steps)
    return Row(
        f"{model} sample, T = {num_steps}, B = {batch_size}",
        lambda: work.sample(config, batch_size, num_steps),
        lambda machine: max(read / machine.bytes_per_unit, count / UNIT_OPERATIONS),
        published,
        quick,
    )


def _made(hidden_size: int, batch_size: int) -> tuple[Row, Row]:
    name = f"one MADE (H = 50, 2 x {hidden_size}) sample, B = {batch_size}"
    one_pass = operations.made_operations(50, hidden_size, 2, batch_size)
    return (
        Row(
            f"{name}, here",
            lambda: work.made_sample(50, hidden_size, batch_size),
            _operations(one_pass),
        ),
        Row(
            f"{name}, tfb.MaskedAutoregressiveFlow",
            lambda: work.tfp_made_sample(50, hidden_size, batch_size),
            _operations(50 * one_pass),
        ),
    )


ROWS: tuple[Row, ...] = (
    _train("af-af", 80, quick=True),
    _train("af-af", mixed_precision=True),
    _train("af-scf", 65),
    _train("iaf-scf", 110, quick=True),
    _train("lstm"),
    _train("af-af", 407, num_samples=10),
    _train_small("af-af", 20),
    _train_small("iaf-scf", 40),
    _train_small("codebook"),
    _train_small("multiscale"),
    _train_small("lstm"),
    _elbo("af-af", 17),
    _elbo("af-scf", 17),
    _elbo("iaf-scf", 32),
    _log_likelihood("af-af"),
    _sample("af-af", 100, 446, quick=True),
    _sample("af-scf", 100, 24),
    _sample("iaf-scf", 100, 1.5),
    _sample("lstm", 100, 10),
    _sample("iaf-scf", 288, 3.3),
    _sample("multiscale", 288),
    _sample("multiscale-codebook", 288),
    _sample("lstm", 288, 25),
    _sample("multiscale", 1000),
    _sample("multiscale-codebook", 1000),
    _sample("lstm", 1000),
    _sample("af-af", 100, batch_size=64),
    _sample("af-af", 1000),
    _sample("af-af", 4000),
    *_made(100, 64),
    *_made(500, 1024),
)

# Real runs: a model, and how many batches of mixed lengths.
REAL_RUNS: tuple[tuple[str, int], ...] = (("codebook", 200), ("af-af", 200), ("lstm", 200))
