"""The inverse of the mixture of logistics: what comes back, also next to large parameters."""

from __future__ import annotations

import numpy as np
import pytest

from bijectors import MixtureOfLogistics
from tests.bijectors.scalar.mixtures import draw, noise
from tests.modes import MODES, every_mode


@every_mode
@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 1e-5), (np.float64, 1e-13)])
def test_there_and_back(dtype: type, tolerance: float, mode: str) -> None:
    raw, y = draw(20_000, 8, dtype), noise(20_000, dtype)
    solve = MODES[mode](lambda raw, y: MixtureOfLogistics.from_unconstrained(raw).inverse(y))
    x = solve(raw, y)
    assert x.dtype == dtype
    back = MixtureOfLogistics.from_unconstrained(raw).forward(x)
    np.testing.assert_allclose(back, y, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("spread", [1.0, 10.0])
def test_the_inverse_rises(spread: float) -> None:
    raw = draw(200, 8, np.float32, spread)[:, None]
    y = np.linspace(-30, 30, 1001, dtype=np.float32)
    x = MixtureOfLogistics.from_unconstrained(raw).inverse(y).numpy()
    assert (np.diff(x, axis=-1) > -1e-5 * (1 + np.abs(x[:, 1:]))).all()


@pytest.mark.parametrize("size", [1.0, 10.0, 1e2, 1e4])
def test_what_comes_back_has_the_same_noise(size: float) -> None:
    # Between two modes far apart F is one float32 for many x: one of them comes back.
    bijector = MixtureOfLogistics.from_unconstrained(draw(4_000, 8, np.float32, size))
    for spread in (1.0, size):
        y = bijector.forward(noise(4_000, np.float32, spread))
        np.testing.assert_allclose(bijector.forward(bijector.inverse(y)), y, rtol=1e-4, atol=1e-3)


def test_noise_is_not_lost_next_to_large_means() -> None:
    raw = draw(4_000, 8, np.float32, 1e4)
    bijector = MixtureOfLogistics.from_unconstrained(raw)
    terms = np.abs(bijector.a) + np.max(np.abs(bijector.means) / bijector.scales, axis=-1)
    assert np.max(bijector.b * terms) <= np.exp(9) * 1.001
    y = noise(4_000, np.float32)
    np.testing.assert_allclose(bijector.forward(bijector.inverse(y)), y, atol=1e-2)
