"""Times training, evaluation and sampling on this machine: `python -m train.benchmark`.

Every time is given in units, one of which is a float32 product `[1500, 1000] x [1000, 2000]` (6
GFLOP) in the same process, and beside it the floor: what the matrix products of the work, or the
weights that each of its serial steps reads, would take at the speed of the unit.
"""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from train.errors import UserError, run_program
from train.extras import require_extra
from train.files import write_json
from train.flags import parse_flags
from train.quiet import import_tensorflow_quietly

if TYPE_CHECKING:
    from train.benchmarks.rows import Row
    from train.benchmarks.sweeps import Point, Sweep
    from train.benchmarks.unit import Machine

__all__ = ["BenchmarkConfig", "main"]

_RESULTS = "benchmark.json"


@dataclasses.dataclass(frozen=True)
class BenchmarkConfig:
    """Times training, evaluation and sampling at the published sizes, beside one matrix product."""

    out: Path = Path("benchmark")
    """Folder for the numbers and the pictures."""
    quick: bool = False
    """The most important rows only, and no pictures."""
    rows: str = ""
    """Only the rows whose name contains this."""
    repeats: int = 5
    """Times of each, of which the median counts."""


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program; `args` are its flags, or None for those of the process.

    Raises:
      UserError: If the input is bad.
    """
    config = parse_flags(BenchmarkConfig, "python -m train.benchmark", args)
    if config.repeats < 1:
        raise UserError(f"--repeats expects a number above 0; got {config.repeats}")
    with_pictures = not (config.quick or config.rows)
    if with_pictures:
        require_extra("figures")
    import_tensorflow_quietly()
    from bijectors import compiled_loops
    from train.benchmarks.rows import ROWS
    from train.benchmarks.unit import measure_machine

    rows = [r for r in ROWS if config.rows in r.name and (r.quick or not config.quick)]
    if not rows:
        raise UserError(f"--rows expects a part of a row's name; got {config.rows!r}")
    config.out.mkdir(parents=True, exist_ok=True)
    machine = measure_machine()
    print(f"one unit is {1000 * machine.unit_seconds:.1f} ms\n")
    results = {"machine": _description(), **machine._asdict(), "rows": [], "sweeps": []}
    with compiled_loops():  # As the programs train and test.
        _measure_rows(rows, machine, config, results)
        if with_pictures:
            _measure_sweeps(config, results)


def _measure_rows(
    rows: Sequence[Row], machine: Machine, config: BenchmarkConfig, results: dict[str, Any]
) -> None:
    """Prints a line for each row, and adds it to the results and their file."""
    from train.benchmarks.unit import time_in_units
    from train.devices import peak_memory_gib

    width = max(len(row.name) for row in rows)
    heads = (
        f"{'units':>9}{'[ms]':>9}{'floor':>9}{'ratio':>7}{'published':>11}{'first [s]':>11}"
        f"{'peak [GiB]':>12}"
    )
    print(f"{'work':<{width}}{heads}")
    for row in rows:
        timing = time_in_units(row.work(), config.repeats)
        floor = row.floor(machine)
        peak = peak_memory_gib()  # Of the process, so of this row only if it is the first.
        results["rows"].append(
            {
                "name": row.name,
                **timing._asdict(),
                "floor": floor,
                "published": row.published,
                "peak_memory_gib": peak,
            }
        )
        write_json(config.out / _RESULTS, results)
        least = f"{floor:>9.2f}{timing.units / floor:>7.2f}" if floor else f"{'':16}"
        published = "" if row.published is None else f"{row.published:g}"
        print(
            f"{row.name:<{width}}{timing.units:>9.2f}{1000 * timing.seconds:>9.1f}{least}"
            f"{published:>11}{timing.first_seconds:>11.1f}"
            f"{'' if peak is None else f'{peak:.2f}':>12}",
            flush=True,
        )


def _measure_sweeps(config: BenchmarkConfig, results: dict[str, Any]) -> None:
    """Prints and draws how the times grow."""
    from train.benchmarks.pictures import sweep_png
    from train.benchmarks.sweeps import PICTURES

    for picture, sweeps in PICTURES.items():
        measured = [(sweep, _measured(sweep, config, results)) for sweep in sweeps]
        path = config.out / picture
        path.write_bytes(sweep_png(measured))
        print(path)


def _measured(sweep: Sweep, config: BenchmarkConfig, results: dict[str, Any]) -> list[Point]:
    """Prints the points of a sweep, and adds them to the results and their file."""
    from train.benchmarks.sweeps import points

    print(f"\n{sweep.name}, by {sweep.quantity}")
    found = []
    for point in points(sweep, config.repeats):
        found.append(point)
        print(f"{point.line:>10}{point.value:>6}{point.units:>9.2f} units", flush=True)
    results["sweeps"].append(
        {
            "name": sweep.name,
            "quantity": sweep.quantity,
            "points": [point._asdict() for point in found],
        }
    )
    write_json(config.out / _RESULTS, results)
    return found


def _description() -> dict[str, Any]:
    import tensorflow as tf

    return {
        "processor": platform.processor() or platform.machine(),
        "devices": [device.name for device in tf.config.list_logical_devices()],
        "tensorflow": tf.__version__,
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    run_program(main)
