"""Times training, evaluation and sampling on this machine: `python -m train.benchmark`.

Times are given in units. One unit is a float32 product `[1500, 1000] x [1000, 2000]` (6 GFLOP) in
the same process. The floor next to each time is what the matrix products of the work, or reading
the weights of each serial step, would take at that speed. "others" is the share of the machine's
cores that other processes took meanwhile. If it is more than a few percent, measure again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from train.support.errors import UserError, run_program
from train.support.extras import require_extra
from train.support.flags import parse_flags
from train.support.machine import refuse_bfloat16_if_disabled
from train.support.ranges import POSITIVE
from train.support.startup import import_tensorflow_quietly

__all__ = ["BenchmarkConfig", "main"]


@dataclasses.dataclass(frozen=True)
class BenchmarkConfig:
    """Times training, evaluation and sampling at the published sizes."""

    out: Path = Path("benchmark")
    """Folder for the numbers and the pictures; existing ones are replaced."""
    quick: bool = False
    """Only the most important rows, without pictures."""
    rows: str = ""
    """Only the rows whose names contain this."""
    repeats: Annotated[int, POSITIVE] = 5
    """Number of repetitions; the median is reported."""


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program.

    Args:
      args: Its flags; None for those of the process.

    Raises:
      UserError: The input is invalid.
    """
    config = parse_flags(BenchmarkConfig, "python -m train.benchmark", args)
    with_pictures = not (config.quick or config.rows)
    if with_pictures:
        require_extra("figures")
    import_tensorflow_quietly()
    from train.benchmark.real_run import real_run_name
    from train.benchmark.report import measure_all
    from train.benchmark.rows import REAL_RUNS, ROWS

    rows = [r for r in ROWS if config.rows in r.name and (r.quick or not config.quick)]
    real_runs = [run for run in REAL_RUNS if config.rows in real_run_name(*run)]
    if not rows and not real_runs:
        raise UserError(f"--rows expects part of a row's name; got {config.rows!r}")
    if any("bfloat16" in row.name for row in rows):
        refuse_bfloat16_if_disabled()
    measure_all(rows, real_runs, config.repeats, config.out, with_pictures)


if __name__ == "__main__":
    run_program(main)
