"""What the training loop asks of the device that it trains on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from train.engine.order import Call
from train.engine.split_terms import SplitTerms
from train.engine.step_terms import StepTerms

__all__ = ["Backend"]


class Backend(Protocol):
    """A model with its optimiser, the state of a training, on a device."""

    def prepare(self, bounds: set[int]) -> bool:
        """Compiles what calls with batches of these lengths need, as far as it can.

        Returns:
          Whether the first of these calls will still compile.
        """

    def start(self, call: Call, kl_weights: Sequence[float], rates: Sequence[float]) -> Any:
        """Starts the steps of a call, and returns what `read` takes.

        Args:
          call: The steps.
          kl_weights: Weight of the KL term in each.
          rates: Learning rate of each.
        """

    def read(self, started: Any) -> list[StepTerms]:
        """What the steps of a call report, as numbers; waits for the device."""

    def failure(self) -> tuple[int, str] | None:
        """Step and name of the term (`FAILURE_TERMS`) that first was not finite, or None."""

    def weights_are_finite(self) -> bool:
        """Whether all weights are."""

    def validate(self, progress: Callable[[int, int], None]) -> SplitTerms:
        """The bound on the validation split."""

    def keep_best(self) -> None:
        """Keeps a copy of the weights as the best so far."""

    def restore_best(self) -> None:
        """Makes the best weights those of the model."""

    def write(self, folder: Path) -> None:
        """Writes the state, the best weights included, into a folder."""

    def read_state(self, folder: Path) -> None:
        """Restores what `write` wrote."""
