"""A table of the paper as a picture: the two terms of the bound, and the test result."""

from __future__ import annotations

from collections.abc import Sequence

from train.data.tasks import TASKS
from train.paper.experiments import Table
from train.paper.tables import Line
from train.support.figures import figure_png, new_figure

__all__ = ["table_png"]


def table_png(table: Table, lines: Sequence[Line]) -> bytes | None:
    """Draws the finished runs of a table as a PNG file, a panel a dataset; None if there are none.

    Bars are the terms of the bound, KL and then reconstruction; a dot is the test result here, with
    twice its standard error, and a diamond the paper's.
    """
    unit = TASKS[table.task].unit
    done = [line for line in lines if line.results is not None]
    datasets = list(dict.fromkeys(line.row.dataset for line in done))
    if not done:
        return None
    height = 1.3 + 0.34 * max(sum(line.row.dataset == d for line in done) for d in datasets)
    figure = new_figure(1.0 + 5.2 * len(datasets), height, dpi=120)
    panels = figure.subplots(1, len(datasets), squeeze=False)[0]
    for axes, dataset in zip(panels, datasets, strict=True):
        own = [line for line in done if line.row.dataset == dataset]
        names = []
        for y, (row, seed, results) in enumerate(own):
            test = results["test"]
            kl = test[unit.kl]
            if kl is not None:
                bar = {"y": y, "height": 0.62}
                axes.barh(width=kl, color="#9fb9d9", label="KL", **bar)
                axes.barh(
                    width=test[unit.reconstruction],
                    left=kl,
                    color="#f0b48c",
                    label="reconstruction",
                    **bar,
                )
            axes.errorbar(
                test[unit.name],
                y,
                xerr=2 * (test[unit.stderr] or 0),
                fmt="o",
                color="black",
                label="here",
            )
            if row.published:
                axes.plot(row.published[0], y, "D", color="#b3261e", label="paper")
            names.append(f"{row.run.name}, seed {seed}")
        axes.set_yticks(range(len(own)), names)
        axes.set_ylim(len(own) - 0.5, -0.5)
        axes.set_xlim(left=0)
        axes.set_xlabel(unit.title)
        axes.set_title(dataset, fontsize=10)
        axes.grid(axis="x", alpha=0.3)
        axes.set_axisbelow(True)
    entries: dict[str, object] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=4)
    return figure_png(figure)
