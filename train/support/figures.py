"""Figures of matplotlib without a display and without a state outside themselves.

Needs the extra `figures`, or one that includes it; import nothing of it before `require_extra`.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["figure_png", "new_figure"]


def new_figure(width: float, height: float, dpi: int = 100) -> Figure:
    """Returns an empty figure of a size in inches, whose panels make room for their labels."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", dpi=dpi)


def figure_png(figure: Figure) -> bytes:
    """Returns a figure as a PNG file."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
