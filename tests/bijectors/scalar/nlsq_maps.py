"""Random NLSq maps, their parameters and their slope."""

from __future__ import annotations

import numpy as np

from bijectors.scalar.nlsq import NLSq

__all__ = ["PARAMS", "constants", "draw", "slope"]

PARAMS = "abcdg"


def draw(n: int, dtype: type, seed: int = 0, scale: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(0, scale, (n, 5)).astype(dtype), rng.normal(0, 10, n).astype(dtype)


def constants(bijector: NLSq) -> list[np.ndarray]:
    return [getattr(bijector, name).numpy() for name in PARAMS]


def slope(x: np.ndarray, a: float, b: float, c: float, d: float, g: float) -> np.ndarray:
    u = d * x + g
    return b - 2 * c * d * u / (1 + u * u) ** 2
