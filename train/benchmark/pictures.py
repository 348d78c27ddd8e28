"""Pictures of the sweeps: time over one number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from train.benchmark.sweeps import Point, Sweep
from train.support.figures import figure_png, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_sweep", "sweep_figure", "sweep_png"]

_COLOURS = {
    **{"lstm": "#7f7f7f", "af-af": "#1f4e8c", "af-scf": "#2a9d5c", "iaf-scf": "#d1662b"},
    **{"multiscale": "#8c1f6f", "multiscale-codebook": "#c9a227"},
}
_PANEL = (4.6, 4.0)  # Inches.


def sweep_png(measured: Sequence[tuple[Sweep, Sequence[Point]]]) -> bytes:
    """Draws sweeps beside each other on logarithmic scales, a panel each, as a PNG file."""
    figure = sweep_figure(1, len(measured))
    for axes, (sweep, points) in zip(
        figure.subplots(1, len(measured), squeeze=False)[0], measured, strict=True
    ):
        draw_sweep(axes, sweep, points)
    return figure_png(figure)


def sweep_figure(rows: int, columns: int) -> Figure:
    """Returns a figure with room for so many panels."""
    return new_figure(columns * _PANEL[0], rows * _PANEL[1], dpi=120)


def draw_sweep(axes: Axes, sweep: Sweep, points: Sequence[Point], logarithmic: bool = True) -> None:
    """Draws the sweep's lines from those of the points that are theirs."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

    for line in sweep.lines:
        own = [point for point in points if point.line == line]
        axes.plot(
            [point.value for point in own],
            [1000 * point.seconds for point in own],
            marker="o",
            label=line,
            color=_COLOURS.get(line),
        )
    axes.set(xlabel=sweep.quantity, ylabel="time [ms]", title=sweep.name)
    axes.title.set_fontsize(10)
    if logarithmic:
        axes.set(xscale="log", yscale="log")
        axes.xaxis.set_major_locator(FixedLocator(sweep.values))
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        axes.set(xlim=(0, None), ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(fontsize="x-small")
