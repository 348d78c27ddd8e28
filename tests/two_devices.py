"""Trains on two virtual devices and on one, and prints as JSON how far apart they are.

`python tests/two_devices.py steps` compares single steps, `sgd` those without noise by plain
gradient descent, and `resumed` a run and its end once more.

A process of its own, because virtual devices must be there before TensorFlow starts.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

import train.backend.tensorflow
from tests.models import LEAST_FIELDS
from tf_latentflow import ModelConfig, build_model
from train.backend.optimizers import FusedAdam
from train.backend.split_evaluation import batch_spec
from train.backend.step import TrainStep
from train.backend.tensorflow import TensorFlowBackend
from train.data.text.config import TextConfig
from train.engine.buckets import default_boundaries
from train.engine.checkpoint_folders import CheckpointFolders
from train.engine.loop.record import Record
from train.engine.loop.training_loop import TrainingLoop
from train.engine.order import TrainingOrder
from train.engine.settings import LoopSettings
from train.runs.saved_model import weights_sha256
from train.support.screen import Screen
from train.support.units import BITS_PER_CHARACTER

RNG = np.random.default_rng(0)
ROWS = np.arange(3, dtype=np.int32)
# Three rows for two replicas, one of them a row that fills a short batch in the second step.
BATCHES = [
    (RNG.integers(2, 6, (3, 7)).astype(np.int32), np.array(lengths, np.int32), ROWS)
    for lengths in ([7, 4, 5], [6, 7, 0], [2, 3, 7])
]
TEXT = [RNG.integers(2, 6, length).astype(np.int32) for length in (7, 3, 9, 4, 7, 2, 8, 1, 5)]


def make_config(name: str, **overrides: object) -> ModelConfig:
    return ModelConfig.from_name(
        name, "tiny", vocab_size=6, max_length=9, num_lstm_layers=1, **overrides
    )


def one_device() -> tf.distribute.Strategy:
    return tf.distribute.OneDeviceStrategy("/cpu:0")


@functools.cache  # As `make_strategy` does, and for its reason.
def two_devices() -> tf.distribute.Strategy:
    return tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])


class Run:
    """A model with its training step."""

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        config: ModelConfig,
        optimizer: str,
        **options: object,
    ) -> None:
        self.strategy = strategy
        keras.utils.set_random_seed(0)
        with strategy.scope():
            self.model = build_model(config)
            # With so large an epsilon Adam does not blow rounding up.
            self.optimizer = (
                FusedAdam(epsilon=0.02) if optimizer == "adam" else keras.optimizers.SGD()
            )
            self.optimizer.learning_rate = 0.1
            self.optimizer.build(self.model.trainable_variables)
        self.model.length_model.fit(np.array([7, 4, 5, 3]))
        rows = BATCHES[0][0]
        settings = LoopSettings(**{"clip_norm": 0.25, "seed": 1, "elbo_samples": 2, **options})
        spec = batch_spec(list(rows), len(rows))
        self.step = TrainStep(settings, self.model, self.optimizer, strategy, spec)

    def terms(self) -> np.ndarray:
        """What the steps of all batches report."""
        batches = [tuple(map(tf.constant, batch)) for batch in BATCHES]
        steps = [self.step([batch], 0.5, number) for number, batch in enumerate(batches)]
        sums = np.array([list(map(float, terms)) for terms in steps])
        return sums / sums[:, 4:5]  # By the symbols, so that all numbers are about 1.

    def weights(self) -> list[np.ndarray]:
        return [variable.numpy() for variable in self.model.trainable_variables]


def distance(found: list[np.ndarray], expected: list[np.ndarray]) -> float:
    return max(float(np.max(np.abs(a - b))) for a, b in zip(found, expected, strict=True))


def compare(found: Run, expected: Run) -> dict[str, float]:
    before = found.weights()
    result = {"terms": distance([found.terms()], [expected.terms()])}
    result["weights"] = distance(found.weights(), expected.weights())
    result["moved"] = distance(found.weights(), before)
    result["copies"] = max(
        distance(
            *([copy.numpy()] for copy in found.strategy.experimental_local_results(variable.value))
        )
        for variable in found.model.trainable_variables
    )
    return result


def poisoned(run: Run) -> dict[str, object]:
    """One step with a weight that is NaN, and one after it."""
    before, iterations = run.weights(), int(run.optimizer.iterations.numpy())
    first = run.model.trainable_variables[0]
    first.assign(np.full(first.shape, np.nan))
    for number in (7, 8):
        run.step([tuple(map(tf.constant, BATCHES[0]))], 0.5, number)
        first.assign(before[0])
    return {
        "failure": run.step.failure,
        "moved": distance(run.weights(), before),
        "iterations": int(run.optimizer.iterations.numpy()) - iterations,
    }


def trained(directory: Path, strategy: tf.distribute.Strategy) -> dict[str, object]:
    """The end of a run of four steps in a folder, from its newest checkpoint on."""
    train.backend.tensorflow.make_strategy = lambda team: strategy
    config = TextConfig(
        model="lstm",
        max_steps=4,
        batch_size=3,
        max_batch_steps=16,  # Some batches have a single row.
        accumulation_steps=2,
        optimizer="sgd",
        learning_rate=0.1,
        eval_every=4,
        checkpoint_steps=2,
        log_steps=2,
    )
    backend = TensorFlowBackend(config, lambda: build_model(make_config("lstm")), TEXT, TEXT[:4])
    model = backend.model
    with contextlib.redirect_stdout(sys.stderr):  # Standard output is for the results.
        loop = TrainingLoop(
            config,
            backend,
            TrainingOrder(config, TEXT, default_boundaries(np.array([len(x) for x in TEXT]))),
            Record(),
            CheckpointFolders(directory / "checkpoints"),
            Screen(),
            BITS_PER_CHARACTER,
            has_latents=False,
        )
        loop.run()
    model.save(directory / "model.keras")
    saved = keras.saving.load_model(directory / "model.keras")
    return {
        "resumed": loop.summary["resumed_from_steps"],
        "sha256": weights_sha256(model),
        "saved_sha256": weights_sha256(saved),
        "weights": np.concatenate([v.numpy().ravel() for v in saved.trainable_variables]).tolist(),
    }


def steps() -> dict[str, object]:
    config = make_config("af-only", **LEAST_FIELDS, posterior_dropout=0.2, emitter_dropout=0.2)
    run = Run(two_devices(), config, "adam")
    return {"noise": compare(run, Run(one_device(), config, "adam")), "poisoned": poisoned(run)}


def sgd() -> dict[str, float]:
    config = make_config("lstm", dropout=0.0)
    return compare(*(Run(strategy, config, "sgd") for strategy in (two_devices(), one_device())))


def resumed(directory: Path) -> dict[str, object]:
    """A run on two devices, its end once more, and its end on one device."""
    results = {"whole": trained(directory, two_devices())}
    for name, strategy in (("two", two_devices()), ("one", one_device())):
        shutil.rmtree(directory / "checkpoints" / "step-000000004")
        results[name] = trained(directory, strategy)
    return results


def main(what: str) -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    with tempfile.TemporaryDirectory() as directory:
        results = {"steps": steps, "sgd": sgd, "resumed": lambda: resumed(Path(directory))}[what]()
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
