"""Where a training writes down what it measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from train.engine.step_terms import StepTerms

__all__ = ["Record"]


class Record:
    """What the training loop tells of steps and validations; this class forgets it."""

    def begin(self, step: int) -> None:
        """Comes first: drops what a stopped process wrote of later steps, which come again."""

    def steps(
        self,
        first: int,
        terms: Sequence[StepTerms],
        kl_weights: Sequence[float],
        rates: Sequence[float],
    ) -> None:
        """Notes the steps of a call, of which `first` is the number of the first."""

    def window(self, step: int, scalars: Mapping[str, float]) -> None:
        """Notes the means over the steps since the last window, by tag."""

    def validation(self, step: int, report: Mapping[str, Any], best: bool) -> None:
        """Notes a validation; `best` if its weights are the best so far."""

    def flush(self) -> None:
        """Writes what is pending to the files."""
