"""What the training loop asks of a device, by JAX. A `train.engine.loop.backend.Backend`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from export.bundle.device.contents import Bundle
from export.bundle.device.programs_on_device import Programs
from tf_latentflow.terms import Terms
from train.engine.buckets import Batch
from train.engine.evaluation import evaluate
from train.engine.order import Call
from train.engine.split_terms import SplitTerms
from train.engine.step_terms import FAILURE_TERMS, StepTerms

__all__ = ["JaxBackend"]


class JaxBackend:
    """The variables of a bundle's training on the device, and the best weights on the host.

    Attributes:
      sequences: Those of each split.
    """

    def __init__(self, bundle: Bundle) -> None:
        """Puts the initial state on the device; compiles nothing yet."""
        self._bundle = bundle
        self._programs = Programs(bundle)
        self.sequences = {split: bundle.sequences(split) for split in ("train", "valid", "test")}
        parts = [variable.part for variable in bundle.variables]
        self._weights = [i for i, part in enumerate(parts) if part == "weight"]
        self._model = [i for i, part in enumerate(parts) if part != "training"]
        self._values = [jax.device_put(value) for value in bundle.initial_state()]
        self._best: list[np.ndarray] | None = None
        self._group = bundle.manifest["steps_per_call"]
        self._log_length = bundle.log_length()

    def start_compiling(self) -> None:
        """Compiles what training needs, in the background."""
        self._programs.start_compiling("train", "valid")

    def close(self) -> None:
        """Compiles nothing more."""
        self._programs.close()

    def prepare(self, bounds: set[int]) -> bool:
        for bound in bounds:
            self._programs.wait("train", bound)
        return False

    def start(
        self, call: Call, kl_weights: Sequence[float], rates: Sequence[float]
    ) -> tuple[jax.Array, int]:
        (bound,) = call.bounds
        batches = [batch for (batch,) in call.steps]
        count = len(batches)
        # A program makes a fixed number of steps, and leaves out those beyond `count`.
        batches += [Batch(*map(np.zeros_like, batches[0]))] * (self._group - count)
        numbers = [
            np.array([*values, *[0.0] * (self._group - count)], np.float32)
            for values in (kl_weights, rates)
        ]
        stacked = [np.stack(column) for column in zip(*batches, strict=True)]
        which = (np.int64(call.first), np.int32(count))
        terms = self._programs.train(bound, self._values, *stacked, *numbers, *which)
        return terms, count

    def read(self, started: tuple[jax.Array, int]) -> list[StepTerms]:
        terms, count = started
        return [StepTerms.from_flat(row) for row in np.asarray(terms)[:count].tolist()]

    def failure(self) -> tuple[int, str] | None:
        step, term = np.array(self._values[self._bundle.manifest["failure"]])
        return None if step < 0 else (int(step), FAILURE_TERMS[term])

    def weights_are_finite(self) -> bool:
        return all(np.isfinite(weight).all() for weight in self.weights)

    def validate(self, progress: Callable[[int, int], None]) -> SplitTerms:
        return self.evaluate("valid", progress)

    def evaluate(self, split: str, progress: Callable[[int, int], None]) -> SplitTerms:
        """The terms of a split: `valid`, the bound, or `test`, by importance sampling."""
        config = self._bundle.config
        seed = np.array([config.seed, 0], np.int32)

        def start(batch: Batch) -> Terms:
            bound = batch.x.shape[1]
            return Terms(*self._programs.evaluate(split, bound, self._values, *batch, seed))

        return evaluate(
            self.sequences[split],
            self._bundle.manifest["programs"][split]["boundaries"],
            start,
            lambda lengths: self._log_length[lengths - 1],
            batch_size=config.batch_size,
            max_batch_steps=config.max_batch_steps,
            progress=progress,
        )

    def keep_best(self) -> None:
        self._best = self.weights

    def restore_best(self) -> None:
        self.weights = self._best

    def write(self, folder: Path) -> None:
        np.savez(folder / "state.npz", *(np.array(value) for value in self._values))
        if self._best is not None:
            np.savez(folder / "best.npz", *self._best)

    def read_state(self, folder: Path) -> None:
        self._values = [jax.device_put(value) for value in _arrays(folder / "state.npz")]
        best = folder / "best.npz"
        self._best = _arrays(best) if best.exists() else None

    @property
    def weights(self) -> list[np.ndarray]:
        """Copies of the weights."""
        return [np.array(self._values[i]) for i in self._weights]

    @weights.setter
    def weights(self, weights: Sequence[np.ndarray]) -> None:
        for i, value in zip(self._weights, weights, strict=True):
            self._values[i] = jax.device_put(value)

    @property
    def model(self) -> list[np.ndarray]:
        """Copies of the model's variables, its weights first."""
        return [np.array(self._values[i]) for i in self._model]


def _arrays(file: Path) -> list[Any]:
    with np.load(file) as content:
        return [content[name] for name in content.files]
