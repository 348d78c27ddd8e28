"""Makes the rows of a table of the paper: `python -m train.reproduce table3 --scale cpu --out DIR`.

It runs what is missing, one row after the other, goes on with what was cut, skips what is done, and
prints the table in Markdown, also into `DIR/table3-cpu.md`. Two of these programs may work on the
same folder if they have different `--rows` or `--datasets`.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import tyro

from train.errors import UserError, run_program
from train.experiments import TABLES, Row, flags_of
from train.files import read_json, write_text
from train.flags import parse_flags

__all__ = ["ReproduceConfig", "main"]


@dataclasses.dataclass(frozen=True)
class ReproduceConfig:
    """The rows of a table of the paper, trained and tested where they are not yet."""

    table: tyro.conf.Positional[Literal["table3"]]
    """Table of the paper."""
    out: Path
    """Folder of the runs, each in a folder of its own, and of the table."""
    scale: Literal["tiny", "cpu", "paper"] = "cpu"
    """Size of the models and length of the training: tiny, cpu (minutes a row), or as published."""
    rows: tuple[str, ...] = ()
    """Models. None: all of the table."""
    datasets: tuple[str, ...] = ()
    """Datasets. None: all of the table."""
    data_dir: Path | None = None
    """Folder with the files of the datasets. None: downloaded once, to a cache."""
    seed: int = 0
    """Seed of every run."""


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program; `args` are its flags, or None for those of the process.

    Raises:
      UserError: If the input is bad.
      SystemExit: With the status of a training that failed.
    """
    config = parse_flags(ReproduceConfig, "python -m train.reproduce", args)
    table = TABLES[config.table]
    rows = _chosen(table.rows, config)
    for i, row in enumerate(rows):
        workdir = _workdir(config, row)
        if (workdir / "results.json").exists():
            continue
        print(f"[{i + 1}/{len(rows)}] {row.model} on {row.dataset}, in {workdir}", flush=True)
        flags = [*flags_of(row, config.scale), "--seed", str(config.seed)]
        if config.data_dir is not None:
            flags += ["--data-dir", str(config.data_dir)]
        program = [sys.executable, "-m", table.program, *flags, "--workdir", str(workdir)]
        status = subprocess.run(program, check=False).returncode
        if status:
            print(f"error: {' '.join(program)} ended with status {status}", file=sys.stderr)
            raise SystemExit(status)
    text = _markdown(table.title, [(row, _results(config, row)) for row in table.rows])
    config.out.mkdir(parents=True, exist_ok=True)
    write_text(config.out / f"{config.table}-{config.scale}.md", text)
    print(text)


def _chosen(rows: Sequence[Row], config: ReproduceConfig) -> list[Row]:
    """Returns the rows that the user asked for.

    Raises:
      UserError: If a name is not in the table.
    """
    for flag, asked, known in (
        ("rows", config.rows, {row.model: None for row in rows}),
        ("datasets", config.datasets, {row.dataset: None for row in rows}),
    ):
        for name in asked:
            if name not in known:
                raise UserError(f"--{flag} expects some of {', '.join(known)}; got {name!r}")
    return [
        row
        for row in rows
        if row.model in (config.rows or (row.model,))
        and row.dataset in (config.datasets or (row.dataset,))
    ]


def _workdir(config: ReproduceConfig, row: Row) -> Path:
    return config.out / f"{row.model}-{row.dataset}-{config.scale}-{config.seed}"


def _results(config: ReproduceConfig, row: Row) -> dict[str, Any] | None:
    file = _workdir(config, row) / "results.json"
    return read_json(file) if file.exists() else None


def _markdown(title: str, rows: Sequence[tuple[Row, dict[str, Any] | None]]) -> str:
    """Returns the rows that are done as a table, the paper's numbers beside them."""
    lines = [
        f"{title}.",
        "",
        "| dataset | model | here | stderr | reconstruction | KL | share of KL | paper | epochs "
        "| minutes |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row, results in rows:
        if results is None:
            continue
        test, train = results["test"], results["train"]
        reconstruction, kl = (test[f"{term}_nats_per_step"] for term in ("reconstruction", "kl"))
        terms = ["", "", ""]
        if kl is not None:
            terms = [f"{reconstruction:.2f}", f"{kl:.2f}", f"{kl / (kl + reconstruction):.0%}"]
        cells = [
            row.dataset,
            f"`{row.model}`",
            f"{test['nats_per_step']:.3f}",
            f"{test['nats_per_step_stderr']:.3f}",
            *terms,
            f"{row.published:.2f}",
            f"{train['epochs']:.0f}",
            f"{train['wall_seconds'] / 60:.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    run_program(main)
