"""What an evaluation leaves of a split, and its numbers with their error; needs NumPy alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from train.support.units import Unit

__all__ = ["Sums", "bootstrap_stderr"]

_BOOTSTRAP_RESAMPLES = 1000


@dataclasses.dataclass(frozen=True)
class Sums:
    """Terms of each sequence of a split, nats `[N]`, in the order of the split.

    Attributes:
      lengths: T.
      log_prob: Estimate of log p(x|T), or the bound on it.
      log_length: log p(T).
      reconstruction: log p(x|z,T), mean over z from q(z|x,T).
      kl: log q(z|x,T) - log p(z|T), mean over z from q(z|x,T).
    """

    lengths: np.ndarray
    log_prob: np.ndarray
    log_length: np.ndarray
    reconstruction: np.ndarray
    kl: np.ndarray

    @property
    def nll(self) -> np.ndarray:
        """`-(log p(x|T) + log p(T))`, nats `[N]`."""
        return -(self.log_prob + self.log_length)

    def report(self, unit: Unit, has_latents: bool) -> dict[str, Any]:
        """Returns the numbers of the protocol; see `evaluate_split`."""
        symbols = np.sum(self.lengths + 1)
        return {
            unit.name: unit.per_symbol(np.sum(self.nll), symbols),
            f"{unit.name}_stderr": bootstrap_stderr(self.nll, self.lengths + 1) / unit.nats,
            f"reconstruction_{unit.name}": (
                unit.per_symbol(-np.sum(self.reconstruction), symbols) if has_latents else None
            ),
            f"kl_{unit.name}": unit.per_symbol(np.sum(self.kl), symbols) if has_latents else None,
            f"{unit.name}_given_length": unit.per_symbol(
                -np.sum(self.log_prob), np.sum(self.lengths)
            ),
            "num_sequences": len(self.lengths),
        }


def bootstrap_stderr(numerator: np.ndarray, denominator: np.ndarray, seed: int = 0) -> float:
    """Returns the standard error of `sum(numerator) / sum(denominator)` over sequences.

    It is the standard deviation of the ratio over samples of N sequences drawn with replacement;
    0 for fewer than two sequences.

    Args:
      numerator: `[N]`.
      denominator: `[N]`.
      seed: Of the resampling.
    """
    n = len(numerator)
    if n < 2:
        return 0.0
    rng = np.random.default_rng(seed)
    ratios = []
    for _ in range(_BOOTSTRAP_RESAMPLES):
        counts = np.bincount(rng.integers(n, size=n), minlength=n)
        ratios.append(np.dot(counts, numerator) / np.dot(counts, denominator))
    return float(np.std(ratios))
