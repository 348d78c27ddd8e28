"""Draws the learning curves of runs: `python -m train.curves RUN RUN --out curves.png`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import tyro

from train.engine.workdir import Workdir
from train.runs.saved_run import kind_of
from train.support.errors import UserError, run_program
from train.support.extras import require_extra
from train.support.figures import figure_png, new_figure
from train.support.files import write_bytes
from train.support.flags import parse_flags
from train.support.ranges import ALL_FINITE, ALL_POSITIVE
from train.support.startup import import_tensorflow_quietly
from train.support.units import Unit

__all__ = ["CurvesConfig", "main"]


@dataclasses.dataclass(frozen=True)
class CurvesConfig:
    """Plots the validation losses of runs against steps and against training time.

    The runs may still be training. A curve of a flow shows its bound with one sample.
    """

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Folders of the runs, all of text or all of music."""
    out: Path = Path("curves.png")
    """The picture, a PNG file; an existing one is replaced."""
    step_seconds: Annotated[tuple[float, ...], ALL_POSITIVE] = ()
    """Time of a step of each run, one number for each [seconds], for runs that shared their machine
    with other programs. None: the time that the training took."""
    levels: Annotated[tuple[float, ...], ALL_FINITE] = ()
    """Losses to mark, such as published ones, in the unit of the runs."""


@dataclasses.dataclass(frozen=True)
class _Curve:
    """The validations of a run: its name, and their steps, times and losses."""

    name: str
    steps: tuple[int, ...]
    seconds: tuple[float, ...]
    losses: tuple[float, ...]


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program.

    Args:
      args: Its flags; None for those of the process.

    Raises:
      UserError: The input is invalid.
    """
    config = parse_flags(CurvesConfig, "python -m train.curves", args)
    if not config.runs:
        raise UserError("expected the folders of one or more runs; got none")
    if config.out.suffix.lower() != ".png":
        raise UserError(f"--out expects a name that ends in .png; got {str(config.out)!r}")
    costs = config.step_seconds
    if costs and len(costs) != len(config.runs):
        raise UserError(
            f"--step-seconds expects one number for each of the {len(config.runs)} runs; "
            f"got {len(costs)}"
        )
    units = [kind_of(Workdir(path)).unit for path in config.runs]
    if len(set(units)) > 1:
        raise UserError(f"expected runs of one unit; got {', '.join(u.title for u in units)}")
    require_extra("figures")
    import_tensorflow_quietly()
    from train.backend.event_files import SECONDS, read_scalar

    curves = []
    for path, cost in zip(config.runs, costs or [None] * len(config.runs), strict=True):
        folder = Workdir(path).tensorboard / "valid"
        losses = read_scalar(folder, f"loss/{units[0].name}")
        if not losses:
            raise UserError(f"{path} has no validation yet: wait for its first one")
        seconds = _seconds(path, losses, read_scalar(folder, SECONDS), cost)
        curves.append(_Curve(path.resolve().name, tuple(losses), seconds, tuple(losses.values())))
    write_bytes(config.out, _picture(curves, config.levels, units[0]))
    for curve in curves:
        best = min(range(len(curve.losses)), key=curve.losses.__getitem__)
        print(
            f"{curve.name}: {curve.losses[best]:.3f} {units[0].title} at step {curve.steps[best]}, "
            f"after {curve.seconds[best] / 60:.1f} min"
        )
    print(f"the curves are in {config.out}")


def _seconds(
    path: Path, losses: Mapping[int, float], measured: Mapping[int, float], cost: float | None
) -> tuple[float, ...]:
    """Returns the time of each validation.

    Raises:
      UserError: It is not known.
    """
    if cost is not None:
        return tuple(step * cost for step in losses)
    if missing := [step for step in losses if step not in measured]:
        raise UserError(
            f"{path} has no time for the validation at step {missing[0]}, because another version "
            "trained it: give --step-seconds"
        )
    return tuple(measured[step] for step in losses)


def _picture(curves: Sequence[_Curve], levels: Sequence[float], unit: Unit) -> bytes:
    """Draws two panels, against steps and against minutes, as a PNG file."""
    figure = new_figure(10.5, 4.2, dpi=120)
    left, right = figure.subplots(1, 2, sharey=True)
    for curve in curves:
        left.plot(curve.steps, curve.losses, label=curve.name)
        right.plot([seconds / 60 for seconds in curve.seconds], curve.losses)
    for axes, label in ((left, "steps"), (right, "training [minutes]")):
        for i, level in enumerate(sorted(levels)):
            axes.axhline(level, color="black", linewidth=0.8, linestyle=":")
            side = "bottom" if i else "top"  # So that the names of two close levels stay apart.
            axes.text(1.0, level, f" {level:g}", transform=axes.get_yaxis_transform(), va=side)
        axes.set_xlabel(label)
        axes.set_xlim(left=0)
        axes.grid(alpha=0.3)
    # The first losses of a training would leave no room for the others.
    lowest = min([*levels, *(loss for curve in curves for loss in curve.losses)])
    highest = max([*levels, *(curve.losses[-1] for curve in curves)])
    margin = 0.1 * max(highest - lowest, 0.1)
    left.set_ylim(lowest - margin, highest + 10 * margin)
    left.set_ylabel(f"validation loss [{unit.title}]")
    left.legend()
    return figure_png(figure)


if __name__ == "__main__":
    run_program(main)
