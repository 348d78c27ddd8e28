"""What a table says of runs with several seeds."""

from __future__ import annotations

import pytest

from train.paper.experiments import TABLES
from train.paper.tables import Line, markdown

TABLE = TABLES["table2"]


def line(row: int, seed: int | None, bpc: float = 0.0) -> Line:
    test = {"bpc": bpc, "bpc_stderr": 0.004, "reconstruction_bpc": 0.1, "kl_bpc": bpc}
    results = {"test": test, "train": {"steps": 10, "wall_seconds": 60}}
    return Line(TABLE.rows[row], seed, None if seed is None else results)


def test_rows_of_several_seeds_have_their_mean_and_deviation() -> None:
    lines = [line(0, 0, 1.5), line(0, 1, 1.6), line(0, 7, 1.9), line(1, 0, 2.0), line(2, None)]
    runs, spread = markdown(TABLE, lines).split("\n\nOver the seeds:\n\n")
    assert runs.count("`af-af`") == 3
    assert spread.splitlines() == [
        "| row | run | seeds | mean | standard deviation |",
        "|---|---|---:|---:|---:|",
        "| AF / AF | `af-af` | 3 | 1.667 | 0.208 |",
    ]


@pytest.mark.parametrize("lines", [[], [line(0, 0, 1.5), line(1, 0, 2.0)]])
def test_without_several_seeds_there_is_one_table(lines: list[Line]) -> None:
    assert "Over the seeds" not in markdown(TABLE, lines)
