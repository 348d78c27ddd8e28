"""The terms of an evaluated split, and the results with their errors; needs only NumPy."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from tf_latentflow.terms import Terms
from train.support.units import Unit

__all__ = ["SplitTerms", "bootstrap_stderr"]

_BOOTSTRAP_RESAMPLES = 1000


@dataclasses.dataclass(frozen=True)
class SplitTerms:
    """Terms of each sequence of a split, nats `[N]`, in the order of the split.

    Attributes:
      lengths: T.
      terms: Means over the samples of z; `log_prob` is an estimate, or a bound.
      log_length: log p(T).
    """

    lengths: np.ndarray
    terms: Terms
    log_length: np.ndarray

    @property
    def nll(self) -> np.ndarray:
        """`-(log p(x|T) + log p(T))`, nats `[N]`."""
        return -(self.terms.log_prob + self.log_length)

    def report(self, unit: Unit, has_latents: bool) -> dict[str, Any]:
        """Returns the results of the split.

        `nll = -(log p(x|T) + log p(T))` is summed over the split. A sequence counts as `T + 1`
        symbols, because a left-to-right model has to predict its end too.

        Args:
          unit: Unit of the results; `bpc` stands for its name below.
          has_latents: False for a model without ELBO terms, which are then None.

        Returns:
          `bpc` (nll over the symbols), `reconstruction_bpc` and `kl_bpc` (the two terms of the ELBO
          over the same symbols), `bpc_given_length` (`-log p(x|T)` over `sum(T)`), `num_sequences`.
        """
        symbols = np.sum(self.lengths + 1)
        reconstruction, kl, log_prob = self.terms
        return {
            unit.name: unit.per_symbol(np.sum(self.nll), symbols),
            unit.reconstruction: (
                unit.per_symbol(-np.sum(reconstruction), symbols) if has_latents else None
            ),
            unit.kl: unit.per_symbol(np.sum(kl), symbols) if has_latents else None,
            unit.given_length: unit.per_symbol(-np.sum(log_prob), np.sum(self.lengths)),
            "num_sequences": len(self.lengths),
        }

    def test_report(self, unit: Unit, has_latents: bool, num_samples: int) -> dict[str, Any]:
        """Returns `report` with `bpc_stderr`, the standard error of `bpc` over sequences.

        The error, which is None for a single sequence, takes long for a large split.

        Args:
          unit: See `report`.
          has_latents: See `report`; a model without latents is exact, with one sample.
          num_samples: Importance samples per sequence, for `num_samples` of the result.
        """
        report = self.report(unit, has_latents)
        stderr = bootstrap_stderr(self.nll, self.lengths + 1)
        return {
            unit.name: report[unit.name],
            unit.stderr: None if stderr is None else stderr / unit.nats,
            **report,
            "num_samples": num_samples if has_latents else 1,
        }


def bootstrap_stderr(numerator: np.ndarray, denominator: np.ndarray) -> float | None:
    """Returns the standard error of `sum(numerator) / sum(denominator)` over sequences.

    It is the standard deviation of the ratio over samples of N sequences drawn with replacement;
    None for fewer than two sequences, which do not show it.

    Args:
      numerator: `[N]`.
      denominator: `[N]`.
    """
    n = len(numerator)
    if n < 2:
        return None
    rng = np.random.default_rng(0)
    ratios = []
    for _ in range(_BOOTSTRAP_RESAMPLES):
        counts = np.bincount(rng.integers(n, size=n), minlength=n)
        ratios.append(np.dot(counts, numerator) / np.dot(counts, denominator))
    return float(np.std(ratios))
