"""Times rows and sweeps, prints them as they come, and keeps them in a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from train.benchmark.load import OtherLoad
from train.benchmark.pictures import sweep_png
from train.benchmark.real_run import measure_real_run, real_run_name
from train.benchmark.rows import Row
from train.benchmark.sweeps import PICTURES, Point, Sweep, measure
from train.benchmark.unit import Machine, measure_machine, time_in_units
from train.support.files import write_bytes, write_json
from train.support.machine import describe_caches, describe_machine
from train.support.memory import peak_memory_gib

__all__ = ["measure_all"]

_RESULTS = "benchmark.json"
_LIMITS = ("XLA_FLAGS", "ONEDNN_MAX_CPU_ISA")
_BUSY = 0.1  # Share of the cores from which on a time says little.


def measure_all(
    rows: Sequence[Row],
    real_runs: Sequence[tuple[str, int]],
    repeats: int,
    out: Path,
    with_sweeps: bool,
) -> None:
    """Times rows, and on request how times grow, which it draws too.

    Args:
      rows: What to time.
      real_runs: Models, and how many batches to train each on.
      repeats: Times of each, of which the median counts.
      out: Folder for the numbers and the pictures, made if it is missing.
      with_sweeps: Whether the sweeps are timed and drawn.
    """
    out.mkdir(parents=True, exist_ok=True)
    file = out / _RESULTS
    machine = measure_machine()
    description = _description()
    for name, value in description.items():
        print(f"{name}: {value}")
    print(f"one unit: {1000 * machine.unit_seconds:.1f} ms\n", flush=True)
    results = {"machine": description, **machine._asdict(), "rows": [], "sweeps": []}
    results["real_runs"] = []
    _measure_rows(rows, machine, repeats, file, results)
    for model, num_batches in real_runs:
        _measure_real_run(model, num_batches, file, results)
    if with_sweeps:
        _measure_sweeps(repeats, file, results)


def _measure_real_run(model: str, num_batches: int, file: Path, results: dict[str, Any]) -> None:
    """Prints a line for a real run, and adds it to the results and their file."""
    run = measure_real_run(model, num_batches)
    name = real_run_name(model, num_batches)
    results["real_runs"].append({"name": name, **run._asdict()})
    write_json(file, results)
    counted = ""
    if run.page_faults_per_step is not None:
        counted = (
            f", {run.page_faults_per_step:.0f} page faults a step, "
            f"{run.kernel_share:.0%} of the CPU time in the kernel"
        )
    print(f"{name}: {run.characters_per_second:.0f} characters/s{counted}", flush=True)


def _measure_rows(
    rows: Sequence[Row], machine: Machine, repeats: int, file: Path, results: dict[str, Any]
) -> None:
    """Prints a line for each row, and adds it to the results and their file."""
    if not rows:
        return
    width = max(len(row.name) for row in rows)
    busy = False
    heads = (
        f"{'units':>9}{'[ms]':>9}{'floor':>9}{'ratio':>7}{'published':>11}{'first [s]':>11}"
        f"{'peak [GiB]':>12}{'others':>8}"
    )
    print(f"{'work':<{width}}{heads}")
    for row in rows:
        load = OtherLoad()
        timing = time_in_units(row.work(), repeats)
        others = load.share()
        floor = row.floor(machine)
        peak = peak_memory_gib()  # Of the process, so of this row only if it is the first.
        results["rows"].append(
            {
                "name": row.name,
                **timing._asdict(),
                "floor": floor,
                "published": row.published,
                "peak_memory_gib": peak,
                "other_load": others,
            }
        )
        write_json(file, results)
        least = f"{floor:>9.2f}{timing.units / floor:>7.2f}" if floor else f"{'':16}"
        published = "" if row.published is None else f"{row.published:g}"
        print(
            f"{row.name:<{width}}{timing.units:>9.2f}{1000 * timing.seconds:>9.1f}{least}"
            f"{published:>11}{timing.first_seconds:>11.1f}"
            f"{'' if peak is None else f'{peak:.2f}':>12}"
            f"{'' if others is None else f'{others:.0%}':>8}",
            flush=True,
        )
        busy = busy or (others or 0) > _BUSY
    if busy:
        print("the machine was busy: 'others' is the share of its cores that other processes took")


def _measure_sweeps(repeats: int, file: Path, results: dict[str, Any]) -> None:
    """Prints and draws how the times grow."""
    for picture, sweeps in PICTURES.items():
        measured = [(sweep, _measured(sweep, repeats, file, results)) for sweep in sweeps]
        path = file.with_name(picture)
        write_bytes(path, sweep_png(measured))
        print(path)


def _measured(sweep: Sweep, repeats: int, file: Path, results: dict[str, Any]) -> list[Point]:
    """Prints the points of a sweep, and adds them to the results and their file."""
    print(f"\n{sweep.name}, by {sweep.quantity}")
    found = []
    for line in sweep.lines:
        for value in sweep.values:
            found.append(measure(sweep, line, value, repeats))
            print(f"{line:>10}{value:>6}{found[-1].units:>9.2f} units", flush=True)
    results["sweeps"].append(
        {
            "name": sweep.name,
            "quantity": sweep.quantity,
            "points": [point._asdict() for point in found],
        }
    )
    write_json(file, results)
    return found


def _description() -> dict[str, str]:
    """The machine, and what the environment says about the instructions to be used."""
    limits = {name: os.environ[name] for name in _LIMITS if name in os.environ}
    return {
        "machine": describe_machine(),
        "caches": describe_caches() or "unknown",
        "TensorFlow": tf.__version__,
        **limits,
    }
