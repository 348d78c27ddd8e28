"""Pictures of the sweeps: time over one number, both on logarithmic scales."""

from __future__ import annotations

import io
from collections.abc import Sequence

from train.benchmarks.sweeps import Point, Sweep

__all__ = ["sweep_png"]

_COLOURS = {"lstm": "#7f7f7f", "af-af": "#1f4e8c", "af-scf": "#2a9d5c", "iaf-scf": "#d1662b"}


def sweep_png(measured: Sequence[tuple[Sweep, Sequence[Point]]]) -> bytes:
    """Draws sweeps beside each other, a panel each, as a PNG file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

    figure = Figure(figsize=(4.6 * len(measured), 4.0), layout="constrained", dpi=120)
    for axes, (sweep, points) in zip(
        figure.subplots(1, len(measured), squeeze=False)[0], measured, strict=True
    ):
        for line in sweep.lines:
            own = [point for point in points if point.line == line]
            axes.plot(
                [point.value for point in own],
                [1000 * point.seconds for point in own],
                marker="o",
                label=line,
                color=_COLOURS.get(line),
            )
        axes.set(xscale="log", yscale="log", xlabel=sweep.quantity, ylabel="time [ms]")
        axes.xaxis.set_major_locator(FixedLocator(sweep.values))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_title(sweep.name, fontsize=10)
        axes.grid(alpha=0.3)
        axes.legend()
    png = io.BytesIO()
    FigureCanvasAgg(figure).print_png(png)
    return png.getvalue()
