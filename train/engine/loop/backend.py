"""The operations that the training loop needs, for any library and device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from train.engine.order import Call
from train.engine.split_terms import SplitTerms
from train.engine.step_terms import StepTerms

__all__ = ["Backend"]


class Backend(Protocol):
    """A model with its optimiser on a device."""

    def prepare(self, bounds: set[int]) -> bool:
        """Compiles the step for batches of these lengths, if that can be done in advance.

        Returns:
          Whether the first call with these lengths will still compile something.
        """

    def start(self, call: Call, kl_weights: Sequence[float], rates: Sequence[float]) -> Any:
        """Starts the steps of a call, and returns the argument for `read`.

        Args:
          call: The steps.
          kl_weights: Weight of the KL term in each step.
          rates: Learning rate of each step.
        """

    def read(self, started: Any) -> list[StepTerms]:
        """Waits for the steps of a call, and returns their terms as numbers."""

    def failure(self) -> tuple[int, str] | None:
        """Step and name (`FAILURE_TERMS`) of the first term that was not finite, or None."""

    def weights_are_finite(self) -> bool:
        """Whether all weights are finite."""

    def validate(self, progress: Callable[[int, int], None]) -> SplitTerms:
        """Returns the terms of the bound on the validation split."""

    def keep_best(self) -> None:
        """Keeps a copy of the weights as the best so far."""

    def restore_best(self) -> None:
        """Sets the weights of the model to the best weights."""

    def write(self, folder: Path) -> None:
        """Writes the state, including the best weights, to a folder."""

    def read_state(self, folder: Path) -> None:
        """Restores the state written by `write`.

        Raises:
          UserError: It belongs to another model.
        """
