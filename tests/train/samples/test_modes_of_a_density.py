"""The modes of a density on a grid, and the mass of each."""

from __future__ import annotations

import numpy as np
import pytest

from train.samples.prior_densities.modes import find_modes


def bumps(*parts: tuple[float, float, float, float], size: int = 60) -> tuple[np.ndarray, float]:
    """A mixture of Gaussians, `(weight, x, y, spread)` each, on a grid over [-4, 4]^2."""
    axis = np.linspace(-4, 4, size)
    x, y = np.meshgrid(axis, axis)
    density = np.zeros([size, size])
    for weight, a, b, spread in parts:
        squares = ((x - a) ** 2 + (y - b) ** 2) / spread**2
        density += weight * np.exp(-squares / 2) / (2 * np.pi * spread**2)
    return density, (axis[1] - axis[0]) ** 2


def test_modes_of_a_mixture() -> None:
    density, area = bumps((0.5, -2, 1, 0.5), (0.3, 2, 1, 0.4), (0.2, 0, -2, 0.3))
    axis = np.linspace(-4, 4, 60)
    found = find_modes(density, area)
    assert len(found) == 3
    for (index, mass), (weight, x, y) in zip(
        found, [(0.5, -2, 1), (0.3, 2, 1), (0.2, 0, -2)], strict=True
    ):
        row, column = np.unravel_index(index, density.shape)
        assert (axis[column], axis[row]) == pytest.approx((x, y), abs=0.08)
        assert mass == pytest.approx(weight, abs=0.01)


def test_a_plateau_and_a_ripple_are_one_mode() -> None:
    density, area = bumps((1.0, 0, 0, 1.0))
    flat = np.minimum(density, 0.1)
    ((_, mass),) = find_modes(flat, area)
    assert mass == pytest.approx(flat.sum() * area)
    wide, area = bumps((1.0, 0, 0, 2.0))
    ripple = wide * (1 + 0.02 * np.cos(np.arange(60) * 1.5))
    assert len(find_modes(ripple, area, dip=0.0)) > 1
    ((_, mass),) = find_modes(ripple, area)
    assert mass == pytest.approx(ripple.sum() * area)
    ((_, mass),) = find_modes(np.ones([5, 5]), 1 / 25)
    assert mass == pytest.approx(1)
