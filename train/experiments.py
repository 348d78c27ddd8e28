"""What the paper reports, row by row, and the runs that make the same rows here.

A row is a model on a dataset; a scale is a preset with the flags that differ from it. Adding a row
is adding a line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from train.presets import family

__all__ = ["SCALES", "TABLES", "Row", "flags_of"]


class Row(NamedTuple):
    """A number of the paper.

    Attributes:
      dataset: As the training program names it.
      model: As the training program names it.
      published: The test result that the paper reports, in the table's unit.
    """

    dataset: str
    model: str
    published: float


class Table(NamedTuple):
    """A table of the paper.

    Attributes:
      program: Module that trains its models.
      title: What it shows.
      rows: In the order of the paper.
    """

    program: str
    title: str
    rows: tuple[Row, ...]


def _rows(model: str, **published: float) -> list[Row]:
    return [Row(dataset.replace("_", "-"), model, value) for dataset, value in published.items()]


TABLES: Mapping[str, Table] = {
    "table3": Table(
        "train.polyphonic_music",
        "Polyphonic music, test split, nats per time step",
        (
            *_rows("lstm", nottingham=3.43, piano_midi=7.77, musedata=7.23, jsb=8.17),
            *_rows("af-af", nottingham=2.39, piano_midi=8.19, musedata=6.92, jsb=6.53),
            *_rows("af-scf", nottingham=2.56, piano_midi=8.26, musedata=6.95, jsb=6.64),
            *_rows("iaf-scf", nottingham=2.54, piano_midi=8.25, musedata=7.06, jsb=6.59),
        ),
    ),
}

# Flags of the training program. `cpu` is an honest small version: minutes to half an hour a row.
SCALES: Mapping[str, Sequence[str]] = {
    "tiny": ("--preset", "tiny"),
    "cpu": ("--preset", "small"),
    "paper": ("--preset", "paper"),
}

# What some rows need beside their scale, with the reason.
_ROW_FLAGS: Mapping[tuple[str, str, str], Sequence[str]] = {
    # 229 pieces: with the published dropout, 0.2 on the prior alone, the training split's bound is
    # 1.5 nats below that of the validation split.
    ("paper", "jsb", "flow"): (
        *("--posterior-dropout", "0.2", "--emitter-dropout", "0.5", "--epochs", "60"),
    ),
    ("paper", "jsb", "lstm"): ("--dropout", "0.5", "--epochs", "55"),
    # About 20 minutes of one CPU core each.
    ("cpu", "nottingham", "flow"): ("--max-steps", "2400"),
    ("cpu", "nottingham", "lstm"): ("--max-steps", "6000"),
}


def flags_of(row: Row, scale: str) -> list[str]:
    """Returns the flags of the training program that make a row at a scale.

    Raises:
      ValueError: If there is no such scale.
    """
    if scale not in SCALES:
        raise ValueError(f"expected a scale of {', '.join(SCALES)}; got {scale!r}")
    extra = _ROW_FLAGS.get((scale, row.dataset, family(row.model)), ())
    return ["--model", row.model, "--dataset", row.dataset, *SCALES[scale], *extra]
