"""A table of the paper with the numbers of this code beside those of the paper."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from train.data.tasks import TASKS
from train.paper.experiments import Row, Table
from train.paper.markdown import markdown_table
from train.paper.runs import Runs
from train.support.units import Unit

__all__ = ["Line", "lines_of", "markdown", "table_json"]


class Line(NamedTuple):
    """A row of a table, with a run's results or without.

    Attributes:
      row: The row.
      seed: Of the run, or None.
      results: As in the run's results.json, or None.
    """

    row: Row
    seed: int | None
    results: Mapping[str, Any] | None


def lines_of(table: Table, runs: Runs, datasets: Sequence[str]) -> list[Line]:
    """Returns a line for every finished run of the table, and for every row that has none.

    Args:
      table: The table.
      runs: Where its runs are.
      datasets: Those to show, one after the other.
    """
    lines = []
    for row in (row for dataset in datasets for row in table.rows if row.dataset == dataset):
        finished = {} if row.run is None else runs.finished(row.run)
        lines += [Line(row, seed, results) for seed, results in finished.items()]
        if not finished and not row.optional:
            lines.append(Line(row, None, None))
    return lines


def markdown(table: Table, lines: Sequence[Line]) -> str:
    """Returns a table in Markdown, followed by one of the rows that have several seeds.

    The share of KL is that of the bound's two terms.
    """
    unit = TASKS[table.task].unit
    several = len({row.dataset for row in table.rows}) > 1
    names = ["dataset"] * several + ["row", "run"]
    numbers = ("here", "stderr", "reconstruction", "KL", "share of KL", "paper", "steps", "minutes")
    columns = dict.fromkeys(names, "<") | dict.fromkeys(("seed", *numbers), ">")
    rows = []
    for row, seed, results in lines:
        nll, *terms = row.published or (None,)
        paper = "" if nll is None else f"{nll:.2f}"
        if terms:
            paper += " (" + ", ".join(f"{term:.2f}" for term in terms) + ")"
        if row.run is None:
            cells = ["", "", "cited", *[""] * 4, paper, "", ""]
        elif results is None:
            cells = [f"`{row.run.name}`", "", "not run", *[""] * 4, paper, "", ""]
        else:
            test, train = results["test"], results["train"]
            cells = [
                f"`{row.run.name}`",
                str(seed),
                f"{test[unit.name]:.3f}",
                "" if test[unit.stderr] is None else f"{test[unit.stderr]:.3f}",
                *_terms(test, unit),
                paper,
                f"{train['steps']:,}",
                f"{train['wall_seconds'] / 60:.0f}",
            ]
        rows.append([*[row.dataset] * several, row.label, *cells])
    text = f"{table.title}.\n\n{markdown_table(columns, rows)}\n"
    if spread := _over_seeds(table, lines):
        columns = dict.fromkeys(names, "<")
        columns |= dict.fromkeys(("seeds", "mean", "standard deviation"), ">")
        rows = [
            [
                *[row.dataset] * several,
                row.label,
                f"`{row.run.name}`",
                str(len(values)),
                f"{statistics.mean(values):.3f}",
                f"{statistics.stdev(values):.3f}",
            ]
            for row, values in spread.items()
        ]
        text += f"\nOver the seeds:\n\n{markdown_table(columns, rows)}\n"
    return text


def _over_seeds(table: Table, lines: Sequence[Line]) -> dict[Row, list[float]]:
    """Returns the test results of the rows that have several."""
    unit = TASKS[table.task].unit
    found: dict[Row, list[float]] = {}
    for line in lines:
        if line.results is not None:
            found.setdefault(line.row, []).append(line.results["test"][unit.name])
    return {row: values for row, values in found.items() if len(values) > 1}


def _terms(test: Mapping[str, Any], unit: Unit) -> list[str]:
    """Returns the bound's two terms and the share of the second; the baseline has none."""
    reconstruction, kl = test[unit.reconstruction], test[unit.kl]
    if kl is None:
        return ["", "", ""]
    return [f"{reconstruction:.3f}", f"{kl:.3f}", f"{kl / (kl + reconstruction):.0%}"]


def table_json(table: Table, lines: Sequence[Line]) -> dict[str, Any]:
    """Returns the same as JSON values, with all that the runs left."""
    return {
        "title": table.title,
        "unit": TASKS[table.task].unit.name,
        "rows": [
            {
                "label": row.label,
                "dataset": row.dataset,
                "name": None if row.run is None else row.run.name,
                "published": list(row.published),
                "cited": row.run is None,
                "seed": seed,
                "results": results,
            }
            for row, seed, results in lines
        ],
    }
