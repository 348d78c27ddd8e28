"""What a table says of its rows and runs, and of runs with several seeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from train.paper.experiments import TABLES, Row, Run, Table
from train.paper.runs import Runs
from train.paper.scales import flags_of
from train.paper.tables import Line, lines_of, markdown

TABLE = TABLES["table2"]


def line(row: int, seed: int | None, bpc: float = 0.0) -> Line:
    test = {"bpc": bpc, "bpc_stderr": 0.004, "reconstruction_bpc": 0.1, "kl_bpc": bpc}
    results = {"test": test, "train": {"steps": 10, "wall_seconds": 120}}
    return Line(TABLE.rows[row], seed, None if seed is None else results)


def test_rows_of_several_seeds_have_their_mean_and_deviation() -> None:
    lines = [line(0, 0, 1.5), line(0, 1, 1.6), line(0, 7, 1.9), line(1, 0, 2.0), line(2, None)]
    lines += [line(3, 0, 1.0), line(3, 1, 3.0)]
    runs, spread = markdown(TABLE, lines).split("\n\nOver the seeds:\n\n")
    assert runs.count("`af-af`") == 3
    assert spread.splitlines() == [
        "| row | run | seeds | mean | standard deviation |",
        "|---|---|---:|---:|---:|",
        "| AF / AF | `af-af` | 3 | 1.667 | 0.208 |",
        "| - AF hidden and NLSq | `af-indep-affine` | 2 | 2.000 | 1.414 |",
    ]


@pytest.mark.parametrize("lines", [[], [line(0, 0, 1.5), line(1, 0, 2.0)]])
def test_without_several_seeds_there_is_one_table(lines: list[Line]) -> None:
    assert "Over the seeds" not in markdown(TABLE, lines)


def test_a_row_has_its_terms_their_share_and_its_minutes() -> None:
    *_, last = markdown(TABLE, [line(1, 0, 0.3)]).splitlines()
    published = "1.50 (0.11, 1.51)"
    numbers = f"| 0 | 0.300 | 0.004 | 0.100 | 0.300 | 75% | {published} | 10 | 2 |"
    assert last == f"| - NLSq | `af-af-affine` {numbers}"


def test_datasets_are_named_where_there_are_several_and_optional_rows_only_if_run(
    tmp_path: Path,
) -> None:
    rows = [
        Row(name, name, Run("af-af", name, "af-af"), (), optional=name == "jsb")
        for name in ("jsb", "musedata")
    ]
    table = Table("Two datasets", "music", tuple(rows))
    lines = lines_of(table, Runs(tmp_path, "tiny", None), ["jsb", "musedata"])
    assert lines == [Line(rows[1], None, None)]
    assert markdown(table, lines).splitlines()[2].startswith("| dataset | row | run | seed |")
    assert markdown(TABLE, [line(0, 0)]).splitlines()[2].startswith("| row | run | seed |")


def test_flags_are_those_of_a_runs_name_before_its_model_and_its_own_come_last() -> None:
    run = Run("lstm-made", "piano-midi", "lstm", ("--max-steps", "7"))
    flags = flags_of(run, "cpu")
    assert flags[flags.index("--max-steps") + 1] == "1200"  # Not those of `lstm`: 300.
    assert flags[-2:] == ["--max-steps", "7"]
