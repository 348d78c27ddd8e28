"""The interface for recording the measurements of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from train.engine.step_terms import StepTerms

__all__ = ["Record"]


class Record:
    """Receives the numbers of steps and validations. This class ignores them."""

    def begin(self, step: int) -> None:
        """Called first: removes records of later steps, which will be repeated."""

    def steps(
        self,
        first: int,
        terms: Sequence[StepTerms],
        kl_weights: Sequence[float],
        rates: Sequence[float],
    ) -> None:
        """Records the steps of a call; `first` is the number of its first step."""

    def window(self, step: int, scalars: Mapping[str, float]) -> None:
        """Records the means over the steps since the last window, by tag."""

    def validation(self, step: int, seconds: float, report: Mapping[str, Any], best: bool) -> None:
        """Records a validation.

        Args:
          step: Steps made.
          seconds: Time of the training so far, over all processes.
          report: Results of the validation.
          best: Whether its weights are the best so far.
        """

    def flush(self) -> None:
        """Writes pending records to their files."""
