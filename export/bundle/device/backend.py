"""The training loop's operations in JAX. A `train.engine.loop.backend.Backend`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from export.bundle.device.contents import Bundle
from export.bundle.device.programs_on_device import Programs
from tf_latentflow.terms import Terms
from train.engine.buckets import Batch, Buckets
from train.engine.evaluation import evaluate
from train.engine.order import Call
from train.engine.split_terms import SplitTerms
from train.engine.step_terms import FAILURE_TERMS, StepTerms
from train.support.errors import UserError
from train.support.files import read_json, write_json

__all__ = ["JaxBackend"]


class JaxBackend:
    """The variables of a bundle's training on the device, and the best weights on the host.

    Attributes:
      programs: The bundle's programs and their state.
      sequences: The sequences of each split.
    """

    def __init__(self, bundle: Bundle, report: Callable[[str], None]) -> None:
        """Puts the initial state on the device; compiles nothing yet.

        Args:
          bundle: The training.
          report: Receives lines about the compilation.
        """
        self.programs = Programs(bundle, report)
        self.sequences = {split: bundle.sequences(split) for split in ("train", "valid", "test")}
        self._bundle = bundle
        self._best: list[np.ndarray] | None = None
        self._log_length = bundle.log_length()

    def prepare(self, bounds: set[int]) -> bool:
        for bound in bounds:
            self.programs.compiled("train", bound)
        return False

    def start(
        self, call: Call, kl_weights: Sequence[float], rates: Sequence[float]
    ) -> tuple[jax.Array, int]:
        (bound,) = call.bounds
        batches = [batch for (batch,) in call.steps]
        count = len(batches)
        # A program makes a fixed number of steps, and leaves out those beyond `count`.
        missing = self._bundle.manifest["steps_per_call"] - count
        batches += [Batch(*map(np.zeros_like, batches[0]))] * missing
        numbers = [
            np.array([*values, *[0.0] * missing], np.float32) for values in (kl_weights, rates)
        ]
        stacked = [np.stack(column) for column in zip(*batches, strict=True)]
        which = (np.int64(call.first), np.int32(count))
        (terms,) = self.programs.run("train", bound, *stacked, *numbers, *which)
        return terms, count

    def read(self, started: tuple[jax.Array, int]) -> list[StepTerms]:
        terms, count = started
        return [StepTerms(*row) for row in np.asarray(terms)[:count].tolist()]

    def failure(self) -> tuple[int, str] | None:
        step, term = np.array(self.programs.state[-1])
        return None if step < 0 else (int(step), FAILURE_TERMS[term])

    def weights_are_finite(self) -> bool:
        return all(np.isfinite(weight).all() for weight in self.weights)

    def validate(self, progress: Callable[[int, int], None]) -> SplitTerms:
        return self.evaluate("valid", progress)

    def evaluate(self, split: str, progress: Callable[[int, int], None]) -> SplitTerms:
        """The terms of a split: `valid` by the bound, `test` by importance sampling."""
        config = self._bundle.config
        seed = np.array([config.seed, 0], np.int32)
        boundaries = tuple(self._bundle.programs[split]["boundaries"])

        def start(batch: Batch) -> Terms:
            return Terms(*self.programs.run(split, batch.x.shape[1], *batch, seed))

        return evaluate(
            self.sequences[split],
            Buckets(boundaries, config.batch_size, config.max_batch_steps),
            start,
            lambda lengths: self._log_length[lengths - 1],
            progress=progress,
        )

    def keep_best(self) -> None:
        self._best = self.weights

    def restore_best(self) -> None:
        self.weights = self._best

    def write(self, folder: Path) -> None:
        write_json(folder / "bundle.json", self._bundle.id)
        np.savez(folder / "state.npz", *map(np.array, self.programs.state))
        if self._best is not None:
            np.savez(folder / "best.npz", *self._best)

    def read_state(self, folder: Path) -> None:
        if read_json(folder / "bundle.json") != self._bundle.id:
            raise UserError(f"{folder} is a checkpoint of another training: choose another --out")
        self.programs.state = [jax.device_put(value) for value in _arrays(folder / "state.npz")]
        best = folder / "best.npz"
        self._best = _arrays(best) if best.exists() else None

    @property
    def weights(self) -> list[np.ndarray]:
        """Copies of the weights."""
        return self.model[: self._bundle.manifest["num_weights"]]

    @weights.setter
    def weights(self, weights: Sequence[np.ndarray]) -> None:
        self.programs.state[: len(weights)] = [jax.device_put(weight) for weight in weights]

    @property
    def model(self) -> list[np.ndarray]:
        """Copies of the model's variables, its weights first."""
        return [np.array(v) for v in self.programs.state[: self._bundle.manifest["num_model"]]]


def _arrays(file: Path) -> list[Any]:
    with np.load(file) as content:
        return [content[name] for name in content.files]
