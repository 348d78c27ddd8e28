"""The variables of a training on the device, and the best weights so far on the host."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np

from export.bundle.device.contents import Bundle

__all__ = ["DeviceState"]


class DeviceState:
    """The state of a training.

    Attributes:
      values: Of all variables, on the device; a training step puts new ones there.
      best: Weights of the best validation, or None.
    """

    def __init__(self, bundle: Bundle) -> None:
        """Puts the initial state on the device."""
        parts = [variable.part for variable in bundle.variables]
        self._weights = [i for i, part in enumerate(parts) if part == "weight"]
        self._model = [i for i, part in enumerate(parts) if part != "training"]
        self._failure = bundle.manifest["failure"]
        self.values = [jax.device_put(value) for value in bundle.initial_state()]
        self.best: list[np.ndarray] | None = None

    @property
    def weights(self) -> list[np.ndarray]:
        """Copies of the weights."""
        return [np.array(self.values[i]) for i in self._weights]

    @weights.setter
    def weights(self, weights: Sequence[np.ndarray]) -> None:
        for i, value in zip(self._weights, weights, strict=True):
            self.values[i] = jax.device_put(value)

    @property
    def model(self) -> list[np.ndarray]:
        """Copies of the model's variables, its weights first."""
        return [np.array(self.values[i]) for i in self._model]

    @property
    def failure(self) -> tuple[int, int]:
        """Step and index of the term that was not finite; -1: none was. Waits for the device."""
        step, term = np.array(self.values[self._failure])
        return int(step), int(term)

    def write(self, folder: Path) -> None:
        """Writes everything into a folder."""
        np.savez(folder / "state.npz", *(np.array(value) for value in self.values))
        if self.best is not None:
            np.savez(folder / "best.npz", *self.best)

    def read(self, folder: Path) -> None:
        """Restores what `write` wrote."""
        self.values = [jax.device_put(value) for value in _arrays(folder / "state.npz")]
        best = folder / "best.npz"
        self.best = _arrays(best) if best.exists() else None


def _arrays(file: Path) -> list[np.ndarray]:
    with np.load(file) as content:
        return [content[name] for name in content.files]
