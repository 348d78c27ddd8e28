"""Modes of a density on a grid: its peaks, each with what belongs to it."""

from __future__ import annotations

import numpy as np

__all__ = ["find_modes"]


def find_modes(
    density: np.ndarray, cell_area: float, *, dip: float = 0.05
) -> list[tuple[int, float]]:
    """Finds the peaks of a density and the probability around each.

    Every point belongs to the local maximum that it reaches by going to the highest of its eight
    neighbours, again and again; of equal heights a later point counts as the higher one. A maximum
    from which a higher one can be reached without going down by more than the share `dip` of its
    own height is no peak of its own: what belongs to it belongs to the other.

    Args:
      density: `[G, G]`.
      cell_area: Area of a point.
      dip: From 0 to 1.

    Returns:
      Peaks as indices of the flattened grid, each with its probability, the most probable first.
    """
    height = density.ravel()
    top = _local_maxima(density)
    parents = {int(peak): int(peak) for peak in np.unique(top)}

    def root(peak: int) -> int:
        while parents[peak] != peak:
            peak = parents[peak]
        return peak

    for saddle, a, b in _saddles(density, top):
        a, b = root(a), root(b)
        low, high = (a, b) if height[a] < height[b] else (b, a)
        if saddle >= (1 - dip) * height[low]:
            parents[low] = high
    masses = dict.fromkeys(parents, 0.0)
    for peak, mass in enumerate(np.bincount(top, height * cell_area)):
        if mass > 0:
            masses[root(peak)] += float(mass)
    return sorted(((p, m) for p, m in masses.items() if m > 0), key=lambda pair: -pair[1])


def _local_maxima(density: np.ndarray) -> np.ndarray:
    """Returns for each point of the flattened grid the local maximum that it belongs to."""
    order = np.argsort(density, axis=None, kind="stable")
    rank = np.empty(density.size, int)
    rank[order] = np.arange(density.size)
    around = np.pad(rank.reshape(density.shape), 1, constant_values=-1)
    around = np.lib.stride_tricks.sliding_window_view(around, (3, 3))
    above = order[around.max(axis=(2, 3)).ravel()]
    while not np.array_equal(above, above[above]):
        above = above[above]
    return above


def _saddles(density: np.ndarray, top: np.ndarray) -> list[tuple[float, int, int]]:
    """Returns the highest border between any two maxima, as `(height, a, b)`, the highest first."""
    top = top.reshape(density.shape)
    highest: dict[tuple[int, int], float] = {}
    for here, there in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1, :], np.s_[1:, :]),
        (np.s_[:-1, :-1], np.s_[1:, 1:]),
        (np.s_[:-1, 1:], np.s_[1:, :-1]),
    ):
        a, b, height = top[here], top[there], np.minimum(density[here], density[there])
        border = a != b
        for pair in zip(a[border], b[border], height[border], strict=True):
            low, high = sorted((int(pair[0]), int(pair[1])))
            highest[low, high] = max(highest.get((low, high), 0.0), float(pair[2]))
    return sorted(((height, a, b) for (a, b), height in highest.items()), reverse=True)
