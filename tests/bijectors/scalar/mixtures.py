"""Random mixtures of logistics, their parameters, and their formula in long numbers."""

from __future__ import annotations

import numpy as np

from bijectors import MixtureOfLogistics

__all__ = ["constants", "draw", "formula", "noise"]

PARAMS = ("weights", "means", "scales", "a", "b")


def draw(n: int, k: int, dtype: type = np.float64, scale: float = 1.0) -> np.ndarray:
    return np.random.default_rng(k).normal(0, scale, (n, 3 * k + 2)).astype(dtype)


def noise(n: int, dtype: type = np.float64, scale: float = 1.5) -> np.ndarray:
    return np.random.default_rng(1).normal(0, scale, n).astype(dtype)


def constants(bijector: MixtureOfLogistics) -> list[np.ndarray]:
    return [np.asarray(getattr(bijector, name)) for name in PARAMS]


def formula(x: np.ndarray, weights, means, scales, a, b) -> tuple[np.ndarray, np.ndarray]:
    """`y` and the log-det, in NumPy's longest numbers."""
    x, w, m, s, a, b = (np.asarray(v, np.longdouble) for v in (x, weights, means, scales, a, b))
    u, log_w = (x[..., None] - m) / s, np.log(w / w.sum(-1, keepdims=True))
    left, right = (np.minimum(v, 0) - np.log1p(np.exp(-np.abs(v))) for v in (u, -u))

    def log_sum(terms: np.ndarray) -> np.ndarray:
        largest = terms.max(-1, keepdims=True)
        return np.log(np.exp(terms - largest).sum(-1)) + largest[..., 0]

    log_f, log_left = log_sum(log_w - np.log(s) + left + right), log_sum(log_w + left)
    log_right = log_sum(log_w + right)
    return b * (log_left - log_right + a), np.log(b) + log_f - log_left - log_right
