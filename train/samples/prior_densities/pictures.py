"""Pictures of text models: what comes next along a string, and the prior's densities along it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from train.samples.prior_densities.passage import visible
from train.support.figures import figure_png, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from train.samples.prior_densities.densities import Density

__all__ = ["densities_png", "next_symbols_png"]

_BLUE = "#1f4e8c"
_ORANGE = "#d1662b"
_DENSITY_COLOURS = ("white", "#7fa3d1", _BLUE, "#0b1f3d")
_LEAST_SHOWN = 0.005  # A symbol that is never more probable than this has no place on the axis.


def densities_png(densities: Sequence[Density], characters: str) -> bytes:
    """Draws densities p(z[t] | z[:t]) over the plane as a PNG file, four in a row.

    The colour is the square root of the density, which shows what is less probable too, each panel
    by its own highest. Modes bear their characters; a ring is around z[t].

    Args:
      densities: What to draw, on one grid.
      characters: Those that are at these steps.
    """
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patheffects import withStroke

    colours = LinearSegmentedColormap.from_list("density", _DENSITY_COLOURS)
    halo = withStroke(linewidth=2.5, foreground="white")
    x, y = (_edges(axis) for axis in (densities[0].x, densities[0].y))
    ratio = np.clip((y[1] - y[0]) / (x[1] - x[0]), 0.5, 1.6)
    figure, panels = _panels(len(densities), 4, (2.8, 2.8 * ratio + 0.3))
    for axes, density, character in zip(panels, densities, characters, strict=True):
        axes.imshow(
            np.sqrt(density.values),
            extent=(*x, *y),
            origin="lower",
            cmap=colours,
            interpolation="bicubic",
        )
        axes.plot(*density.z, "o", ms=16, mfc="none", mec=_ORANGE, mew=2.5)
        for mode in density.modes:
            axes.text(
                *mode.z,
                visible(mode.character),
                fontsize=13,
                ha="center",
                va="center_baseline",
                parse_math=False,
                path_effects=[halo],
            )
        title = f"{visible(character)}    t = {density.step}"
        axes.set_title(title, fontsize=14, parse_math=False)
        axes.tick_params(labelsize=10)
        axes.label_outer()
    figure.supxlabel("z[t, 0]", fontsize=12)
    figure.supylabel("z[t, 1]", fontsize=12)
    return figure_png(figure)


def next_symbols_png(
    probabilities: np.ndarray, symbols: Sequence[str], actual: Sequence[int], titles: Sequence[str]
) -> bytes:
    """Draws distributions of the next symbol as bars in a PNG file, two panels in a row.

    Args:
      probabilities: `[P, V]`.
      symbols: Names of the V symbols.
      actual: The symbol that came, of each distribution: its bar is orange.
      titles: Of the panels.
    """
    shown = np.flatnonzero(probabilities.max(axis=0) > _LEAST_SHOWN)
    shown = np.union1d(shown, actual)
    figure, panels = _panels(len(titles), 2, (6.4, 2.0), sharey=True)
    places = np.arange(len(shown))
    for axes, values, own, title in zip(panels, probabilities, actual, titles, strict=True):
        axes.bar(places, values[shown], color=[_ORANGE if v == own else _BLUE for v in shown])
        labels = [visible(symbols[v]) for v in shown]
        axes.set_xticks(places, labels, fontsize=11, parse_math=False)
        axes.tick_params(axis="x", length=0)
        axes.tick_params(axis="y", labelsize=10)
        axes.set_xlim(-0.7, len(shown) - 0.3)
        axes.set_ylim(0, 1)
        axes.grid(axis="y", alpha=0.3)
        axes.set_axisbelow(True)
        axes.set_title(title, loc="left", fontsize=12, parse_math=False)
    figure.supxlabel("next symbol", fontsize=12)
    figure.supylabel("probability", fontsize=12)
    return figure_png(figure)


def _edges(centres: np.ndarray) -> tuple[float, float]:
    """Returns where the first of some cells begins, and where the last ends."""
    half = (centres[1] - centres[0]) / 2
    return centres[0] - half, centres[-1] + half


def _panels(
    count: int, columns: int, size: tuple[float, float], **shared: bool
) -> tuple[Figure, list[Axes]]:
    """Returns a figure, and as many of its panels, each of a size in inches, as are asked for."""
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    figure = new_figure(columns * size[0], rows * size[1])
    panels = figure.subplots(rows, columns, squeeze=False, **shared).ravel()
    for unused in panels[count:]:
        unused.remove()
    return figure, list(panels[:count])
