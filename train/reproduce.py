"""Makes a table or figure of the paper: `python -m train.reproduce table1 --scale cpu --out DIR`.

`ablation` is not in the paper: it changes one choice of the row `codebook` at a time.

The program makes the missing runs one after the other, resumes those that were interrupted, and
skips those that are finished. It prints the result as Markdown and writes `DIR/table1-cpu.md`,
`.json` and `.png`. Two instances can share a folder if they make different runs.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import tyro

from train.data.dataset import Dataset
from train.paper.experiments import FIGURES, TABLES, Figure, Table
from train.paper.job import Drawing, Job
from train.paper.runs import Runs
from train.paper.scales import SCALES
from train.paper.table_picture import table_png
from train.paper.tables import lines_of, markdown, table_json
from train.runs.saved_run import read_run
from train.support.errors import UserError, run_program
from train.support.extras import require_extra
from train.support.files import write_bytes, write_json, write_text
from train.support.flags import parse_flags
from train.support.startup import import_tensorflow_quietly

__all__ = ["ReproduceConfig", "main"]


@dataclasses.dataclass(frozen=True)
class ReproduceConfig:
    """Makes a table or figure of the paper. Missing runs are trained first."""

    what: tyro.conf.Positional[Literal[*TABLES, *FIGURES]]
    """A table or figure of the paper, or the ablation of the row codebook."""
    out: Path
    """Folder of the results, with a folder for each run."""
    scale: Literal[*SCALES] = "cpu"
    """Sizes and training times: tiny (tests), cpu (minutes per row), paper (as published)."""
    rows: tuple[str, ...] = ()
    """Rows of a table, by the names of their runs. None: all except the optional ones."""
    datasets: tuple[str, ...] = ()
    """Datasets of a table. None: all."""
    data_dir: Path | None = None
    """Folder with the files of the datasets. None: downloaded once, to a cache."""
    seeds: tuple[int, ...] = (0,)
    """Seeds: each run is made once per seed. A figure uses the first."""


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program.

    Args:
      args: Its flags; None for those of the process.

    Raises:
      UserError: The input is invalid.
      SystemExit: A training failed; with its exit status.
    """
    config = parse_flags(ReproduceConfig, "python -m train.reproduce", args)
    if not config.seeds or not all(0 <= seed < 2**31 for seed in config.seeds):
        got = " ".join(map(str, config.seeds))
        raise UserError(f"--seeds expects whole numbers from 0 to 2147483647; got {got!r}")
    require_extra("figures")
    if config.what in TABLES:
        drawing = _table(TABLES[config.what], config)
    else:
        drawing = _figure(FIGURES[config.what], config)
    name = f"{config.what}-{config.scale}"
    write_text(config.out / f"{name}.md", drawing.text)
    write_json(config.out / f"{name}.json", drawing.numbers)
    if drawing.picture is not None:
        write_bytes(config.out / f"{name}.png", drawing.picture)
    print(drawing.text)


def _table(table: Table, config: ReproduceConfig) -> Drawing:
    """Makes the requested runs of a table, then the table of all finished runs."""
    known = [row for row in table.rows if row.run is not None]
    names = _chosen("rows", config.rows, (row.run.name for row in known))
    datasets = _chosen("datasets", config.datasets, (row.dataset for row in known))
    runs = Runs(config.out, config.scale, config.data_dir)
    for row in known:
        asked = bool(config.rows) or not row.optional
        if asked and row.run.name in names and row.dataset in datasets:
            for seed in config.seeds:
                runs.make(row.run, seed)
    lines = lines_of(table, runs, datasets)
    return Drawing(table_json(table, lines), markdown(table, lines), table_png(table, lines))


def _figure(figure: Figure, config: ReproduceConfig) -> Drawing:
    """Makes the runs that a figure needs, then draws it."""
    for flag in ("rows", "datasets"):
        if getattr(config, flag):
            raise UserError(f"--{flag} is for tables; leave it out of a figure")
    runs, seed = Runs(config.out, config.scale, config.data_dir), config.seeds[0]
    workdirs = {run.name: runs.workdir(run, seed).path for run in figure.runs}
    for run in figure.runs:
        runs.make(run, seed)
    import_tensorflow_quietly()
    from train.runs.saved_model import load_model

    def load(name: str) -> tuple[Any, Dataset]:
        saved = read_run(workdirs[name])
        return load_model(saved.source), saved.config.load()

    folder = config.out / f"{config.what}-{config.scale}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    draw = importlib.import_module(figure.module).draw
    drawing: Drawing = draw(Job(config.scale, seed, load, folder))
    return drawing._replace(text=f"{figure.title}.\n\n{drawing.text.rstrip()}\n")


def _chosen(flag: str, asked: Sequence[str], known: Iterable[str]) -> list[str]:
    """Returns the requested names, or all.

    Raises:
      UserError: A name is unknown.
    """
    names = list(dict.fromkeys(known))
    for name in asked:
        if name not in names:
            raise UserError(f"--{flag} expects some of {', '.join(names)}; got {name!r}")
    return list(asked) or names


if __name__ == "__main__":
    run_program(main, "interrupted: the same command makes the runs that are missing")
