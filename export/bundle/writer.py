"""Writes a bundle: traces each function once and lowers it for each bucket."""

from __future__ import annotations

import dataclasses
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bijectors import Execution
from export.bundle.device.arrays import join, save_arrays
from export.bundle.device.contents import copy_runner, write_manifest
from export.bundle.programs import training_function
from export.bundle.stablehlo import lower, variables_of
from tf_latentflow import ModelConfig
from train.backend.devices import make_model_and_optimizer
from train.backend.split_evaluation import SplitEvaluation, batch_spec
from train.backend.step import TrainStep
from train.benchmark.operations import train_operations
from train.data.dataset import Dataset
from train.data.splits import SPLITS
from train.engine.buckets import Buckets, default_boundaries, lengths_of
from train.runs.saved_model import initial_model
from train.settings.config import TrainConfig

__all__ = ["write_bundle"]


def write_bundle(
    path: Path,
    config: TrainConfig,
    model_config: ModelConfig,
    dataset: Dataset,
    *,
    steps: int,
    max_buckets: int,
) -> None:
    """Writes the bundle of a training; see `export.bundle.device.contents`.

    Args:
      path: Its folder, empty or not existing.
      config: Settings of the training.
      model_config: Configuration of its model.
      dataset: Its data.
      steps: Maximum number of steps per call.
      max_buckets: Maximum number of buckets per split.
    """
    sequences = {split: dataset.encode(model_config, getattr(dataset, split)) for split in SPLITS}
    test_numbers = dataset.counts(dataset.test, sequences["test"])
    sequences["valid"] = sequences["valid"][: config.valid_sequences or None]

    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    make_model = initial_model(config, model_config)
    model, optimizer = make_model_and_optimizer(config, make_model, strategy)
    model.length_model.fit(lengths_of(sequences["train"]))
    spec = batch_spec(sequences["train"], config.batch_size, config.max_batch_steps)
    # XLA compiles the whole program, so no part of it is compiled separately.
    step = TrainStep(dataclasses.replace(config, jit=False), model, optimizer, strategy, spec)
    weights = [variable.value for variable in model.trainable_variables]
    others = [variable.value for variable in model.non_trainable_variables]
    state = [*weights, *others, *step.variables[len(weights) :]]

    (path / "programs").mkdir(parents=True, exist_ok=True)
    programs = _Programs(path, config, sequences, state, max_buckets)
    model.execution = Execution(products="bfloat16" if config.mixed_precision else None)
    train = training_function(step, optimizer, spec, steps)
    programs.add("train", train, (steps,), step.variables)
    for split, samples in (("valid", config.valid_samples), ("test", config.test_samples)):
        if split == "test":
            model.execution = Execution()  # Products are not rounded here.
        terms = SplitEvaluation(model, samples, config.batch_size, importance=split == "test")
        # Computes the terms from x, lengths, index and a seed.
        signature = (*spec, tf.TensorSpec([2], tf.int32))
        evaluate = tf.function(
            terms.terms, input_signature=signature, jit_compile=True, autograph=False
        )
        programs.add(split, evaluate)
    initial = save_arrays([variable.numpy() for variable in state], rounded=len(weights))
    (path / "initial.npz").write_bytes(initial)
    arrays = {}
    for split in SPLITS:
        arrays[f"{split}_x"], arrays[f"{split}_lengths"] = join(sequences[split])
    lengths = tf.range(1, model_config.max_length + 1)
    log_length = model.length_model.log_prob(lengths).numpy()
    np.savez_compressed(path / "data.npz", **arrays, log_length=log_length)
    copy_runner(path)
    manifest = {
        "settings": {
            **config.run_fields(),
            "dataset_sha256": dataset.sha256,
            "model": model_config.to_dict(),
        },
        "unit": dataclasses.asdict(config.unit),
        "has_latents": model_config.is_flow,
        "steps_per_call": steps,
        "operations_per_symbol": train_operations(model_config, 1, 1, config.elbo_samples),
        "x_dtype": sequences["train"][0].dtype.name,
        "test_numbers": test_numbers,
        "num_weights": len(weights),
        "num_model": len(weights) + len(others),
        "programs": programs.manifest,
    }
    write_manifest(path, manifest)


class _Programs:
    """Lowers functions for the buckets of their splits and writes them.

    Attributes:
      manifest: The section of the bundle's manifest about programs.
    """

    def __init__(
        self,
        path: Path,
        config: TrainConfig,
        sequences: dict[str, Sequence[np.ndarray]],
        state: Sequence[tf.Variable],
        max_buckets: int,
    ) -> None:
        self._path = path
        self._config = config
        self._sequences = sequences
        self._places = {id(variable.handle): i for i, variable in enumerate(state)}
        self._max_buckets = max_buckets
        self.manifest: dict[str, Any] = {}

    def add(
        self,
        split: str,
        function: tf.types.experimental.PolymorphicFunction,
        leading: tuple[int, ...] = (),
        changed: Sequence[tf.Variable] = (),
    ) -> None:
        """Lowers a function for every bucket of a split, and adds it to the manifest.

        Args:
          split: Name of the split, and of the program.
          function: Function of x, lengths, index, and further inputs of known shapes.
          leading: Dimensions of x, lengths and index before those of a batch.
          changed: Variables whose new values the function returns after its own results.
        """
        start = time.perf_counter()
        used = variables_of(function)
        print(f"{split}: traced in {time.perf_counter() - start:.0f} s", flush=True)
        lengths = lengths_of(self._sequences[split])
        boundaries = default_boundaries(lengths, self._max_buckets)
        buckets = Buckets(boundaries, self._config.batch_size, self._config.max_batch_steps)
        outputs = tf.nest.flatten(function.get_concrete_function().structured_outputs)
        fields: dict[str, Any] = {
            "boundaries": boundaries,
            "variables": self._indices(used),
            "changed": self._indices(changed),
            "num_values": len(outputs) - len(changed),
            **{name: [] for name in ("files", "inputs", "results")},
        }
        x_spec, lengths_spec, index_spec, *others = function.input_signature
        event = list(x_spec.shape[len(leading) + 2 :])
        for i, boundary in enumerate(boundaries):
            start = time.perf_counter()
            rows = [*leading, buckets.rows(boundary)]
            specs = [
                tf.TensorSpec([*rows, boundary, *event], x_spec.dtype),
                tf.TensorSpec(rows, lengths_spec.dtype),
                tf.TensorSpec(rows, index_spec.dtype),
                *others,
            ]
            program = lower(function, specs)
            file = f"programs/{split}-{i}.bin"
            (self._path / file).write_bytes(zlib.compress(program.artifact, 9))
            fields["files"].append(file)
            fields["inputs"].append([(spec.dtype.name, list(spec.shape)) for spec in specs])
            fields["results"].append(program.results)
            done = f"{split}: {i + 1}/{len(boundaries)}, {boundary} steps long"
            print(f"{done}, {time.perf_counter() - start:.0f} s", flush=True)
        self.manifest[split] = fields

    def _indices(self, variables: Sequence[tf.Variable]) -> list[int]:
        return [self._places[id(variable.handle)] for variable in variables]
