"""The compiled training step: the objective, its gradient, and one update of the weights."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import keras
import tensorflow as tf

from bijectors import products_in
from tf_latentflow.batch_noise import rows_of_batch
from tf_latentflow.compiled import compiled_loops, loops_are_compiled
from train.backend.devices import update_weights
from train.engine.settings import LoopSettings
from train.engine.step_terms import FAILURE_TERMS, StepTerms

__all__ = ["Batch", "TrainStep"]

Batch = tuple[tf.Tensor, tf.Tensor]  # x integer [B, T] (music: [B, T, 88]), lengths int32 [B].


class TrainStep:
    """One optimiser step of `loss = sum_b -(reconstruction - kl_weight * kl) / sum_b (T + 1)`.

    The step looks for values that are not finite before it touches the weights. From the first such
    step on every update is skipped, so that the host needs to look (`failure`) only now and then.

    Replica r of n gets the rows `r, r + n, ...` of a batch. Sums and gradients are added up over
    the replicas, and a row's random numbers depend on the seed, the step and its place in the batch
    alone: n replicas make the step that one device makes.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        strategy: tf.distribute.Strategy,
        *,
        elbo_samples: int,
        clip_norm: float,
        accumulation_steps: int,
        seed: int,
        jit: bool,
        mixed_precision: bool = False,
        batch_spec: Sequence[tf.TensorSpec],
    ) -> None:
        """Makes the step of a model.

        Args:
          model: A model with `elbo` and `length_model`, made in the strategy's scope.
          optimizer: Built for the model's trainable variables, made in the strategy's scope.
          strategy: The devices, all of this process.
          elbo_samples: Samples of z for each sequence.
          clip_norm: Largest global norm of the gradient, nats per symbol.
          accumulation_steps: Largest number of batches in a step.
          seed: Seed of the run.
          jit: Compile with XLA, for each shape of a batch anew.
          mixed_precision: Make matrix products of operands rounded to bfloat16.
          batch_spec: Shapes of a batch; what varies is None, so that there is one trace for all.
        """
        self._model = model
        self._optimizer = optimizer
        self._strategy = strategy
        self._samples = elbo_samples
        self._clip_norm = clip_norm
        self._accumulation_steps = accumulation_steps
        self._seed = seed
        self._products = tf.bfloat16 if mixed_precision else None
        self._compile_loops = loops_are_compiled()
        self._variables = [variable.value for variable in model.trainable_variables]
        self._replica_sums = (
            tf.function(self._sums_and_gradients, jit_compile=True, autograph=False)
            if jit
            else (self._sums_and_gradients)
        )
        with strategy.scope():
            # Step and index of the term (FAILURE_TERMS) that first was not finite; -1: none was.
            self._failure = tf.Variable([-1, -1], dtype=tf.int64, trainable=False)
            if accumulation_steps > 1:
                # Every replica's own: they are added up over the replicas once a step.
                self._totals = [
                    tf.Variable(
                        tf.zeros(shape, self._dtype),
                        trainable=False,
                        synchronization=tf.VariableSynchronization.ON_READ,
                        aggregation=tf.VariableAggregation.SUM,
                    )
                    for shape in ([4], *(variable.shape for variable in self._variables))
                ]
        scalars = (tf.TensorSpec([], self._dtype), tf.TensorSpec([], tf.int64))
        batch = None if jit else tuple(batch_spec)
        self._whole = tf.function(
            self._whole_step, input_signature=None if jit else (batch, *scalars), autograph=False
        )
        self._accumulate = tf.function(
            self._accumulate_batch,
            input_signature=None if jit else (batch, *scalars, tf.TensorSpec([], tf.int32)),
            autograph=False,
        )
        self._finish = tf.function(
            self._finish_step, input_signature=(tf.TensorSpec([], tf.int64),), autograph=False
        )

    def __call__(
        self, batches: Sequence[Batch], kl_weight: float | tf.Tensor, step: int | tf.Tensor
    ) -> StepTerms:
        """Makes step number `step` with one batch, or adds up the gradients of several."""
        weight = tf.convert_to_tensor(kl_weight, self._dtype)
        number = tf.convert_to_tensor(step, tf.int64)
        if self._accumulation_steps == 1:
            return self._whole(batches[0], weight, number)
        for i, batch in enumerate(batches):
            self._accumulate(batch, weight, number, tf.constant(i))
        return self._finish(number)

    @classmethod
    def from_config(
        cls,
        config: LoopSettings,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        strategy: tf.distribute.Strategy,
        batch_spec: Sequence[tf.TensorSpec],
    ) -> TrainStep:
        """Returns the step that a run's settings name; see the class."""
        return cls(
            model,
            optimizer,
            strategy,
            elbo_samples=config.elbo_samples,
            clip_norm=config.clip_norm,
            accumulation_steps=config.accumulation_steps,
            seed=config.seed,
            jit=config.jit,
            mixed_precision=config.mixed_precision,
            batch_spec=batch_spec,
        )

    @property
    def variables(self) -> list[tf.Variable]:
        """All that a step of one batch changes: weights, the optimiser's variables, `failure`."""
        optimizer = [variable.value for variable in self._optimizer.variables]
        return [*self._variables, *optimizer, self._failure]

    @property
    def failure(self) -> tuple[int, str] | None:
        """Step and name of the term that was not finite, or None. Waits for the device."""
        step, term = (int(i) for i in self._failure.numpy())
        return None if step < 0 else (step, FAILURE_TERMS[term])

    @property
    def num_traces(self) -> int:
        """How many times the step has been traced so far."""
        return sum(
            f.experimental_get_tracing_count()
            for f in (self._whole, self._accumulate, self._finish)
        )

    @property
    def _dtype(self) -> tf.DType:
        return tf.as_dtype(keras.config.floatx())

    def _sums_and_gradients(
        self, batch: Batch, kl_weight: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Returns reconstruction, kl, length, symbols summed over a replica's batch, and gradients.

        Args:
          batch: The replica's share of the batch.
          kl_weight: Scalar.
          seed: int32 `[2]`.
        """
        x, lengths = batch
        with tf.GradientTape() as tape:
            elbo = self._model.elbo(x, lengths, num_samples=self._samples, seed=seed, training=True)
            reconstruction = tf.reduce_sum(tf.reduce_mean(elbo.reconstruction, axis=0))
            kl = tf.reduce_sum(tf.reduce_mean(elbo.kl, axis=0))
            loss = kl_weight * kl - reconstruction
        gradients = [
            tf.zeros_like(v) if g is None else tf.convert_to_tensor(g)
            for g, v in zip(tape.gradient(loss, self._variables), self._variables, strict=True)
        ]
        real = lengths > 0  # Rows of length 0 fill a short batch.
        log_length = self._model.length_model.log_prob(tf.maximum(lengths, 1))
        log_length = tf.reduce_sum(tf.where(real, log_length, tf.zeros_like(log_length)))
        symbols = tf.reduce_sum(tf.cast(tf.where(real, lengths + 1, 0), self._dtype))
        values = [-reconstruction, kl, -log_length, symbols]
        return tf.stack([tf.cast(value, self._dtype) for value in values]), gradients

    def _on_replica(
        self, batch: Batch, kl_weight: tf.Tensor, step: tf.Tensor, index: tf.Tensor | int
    ) -> list[tf.Tensor]:
        """Returns `_sums_and_gradients` of this replica's share of a batch, as one list."""
        seed = tf.stack([tf.constant(self._seed, tf.int32), tf.cast(step, tf.int32)])
        seed = tf.random.experimental.stateless_fold_in(seed, index)
        # What was once the replica: runs keep the random numbers that they had.
        seed = tf.random.experimental.stateless_fold_in(seed, 0)
        replicas = self._strategy.num_replicas_in_sync
        # Here, because every replica has a thread, and a thread has contexts of its own.
        with contextlib.ExitStack() as contexts:
            contexts.enter_context(products_in(self._products))
            contexts.enter_context(compiled_loops(self._compile_loops))
            if replicas > 1:
                replica = tf.distribute.get_replica_context().replica_id_in_sync_group
                total = tf.shape(batch[1])[0]
                contexts.enter_context(rows_of_batch(replica, replicas, total))
                batch = _share(batch, replica, replicas)
            sums, gradients = self._replica_sums(batch, kl_weight, seed)
        return [sums, *gradients]

    def _whole_step(self, batch: Batch, kl_weight: tf.Tensor, step: tf.Tensor) -> StepTerms:
        """A step of one batch."""

        def on_replica() -> list[tf.Tensor]:
            return _all_reduced(self._on_replica(batch, kl_weight, step, 0))

        return self._update(self._strategy.run(on_replica), step)

    def _accumulate_batch(
        self, batch: Batch, kl_weight: tf.Tensor, step: tf.Tensor, index: tf.Tensor
    ) -> None:
        """Adds a batch's sums and gradients to those of the step."""

        def on_replica() -> None:
            values = self._on_replica(batch, kl_weight, step, index)
            for total, value in zip(self._totals, values, strict=True):
                total.assign_add(value)

        self._strategy.run(on_replica)

    def _finish_step(self, step: tf.Tensor) -> StepTerms:
        """A step with the gradients that were added up, which it clears."""

        def on_replica() -> list[tf.Tensor]:
            values = _all_reduced([tf.identity(total) for total in self._totals])
            with tf.control_dependencies(values):
                for total in self._totals:
                    total.assign(tf.zeros_like(total))
            return values

        return self._update(self._strategy.run(on_replica), step)

    def _update(self, summed: list[tf.Tensor], step: tf.Tensor) -> StepTerms:
        """Updates the weights, unless a value is, or once was, not finite.

        Args:
          summed: What `_on_replica` returns, summed over the replicas, on every replica.
          step: Number of the step.
        """
        # The first replica's, which are those of every other.
        sums, *gradients = (self._strategy.experimental_local_results(v)[0] for v in summed)
        symbols = tf.maximum(sums[3], 1)
        norm = tf.linalg.global_norm(gradients) / symbols
        terms = StepTerms(sums[0] / symbols, sums[1] / symbols, sums[2] / symbols, norm, symbols)
        # In the order of FAILURE_TERMS: a bad term makes a bad gradient, and is named first.
        bad = tf.logical_not(tf.math.is_finite(tf.stack(terms[:4])))
        scale = tf.minimum(1.0, self._clip_norm / norm) / symbols

        def apply() -> tf.Tensor:
            variables = self._model.trainable_variables
            update_weights(self._strategy, self._optimizer, variables, summed[1:], scale)
            return tf.constant(True)

        def note() -> tf.Tensor:
            first = tf.stack([step, tf.argmax(tf.cast(bad, tf.int32))])
            self._failure.assign(tf.where(self._failure < 0, first, self._failure))
            return tf.constant(False)

        failed = tf.logical_or(tf.reduce_any(bad), self._failure[0] >= 0)
        tf.cond(failed, note, apply)
        return terms


def _share(batch: Batch, replica: tf.Tensor, replicas: int) -> Batch:
    """The rows of a batch that are a replica's, equally many for all: some may have length 0."""
    missing = -tf.shape(batch[1])[0] % replicas
    x, lengths = (
        tf.pad(values, [[0, missing], *[[0, 0]] * (values.shape.rank - 1)])[replica::replicas]
        for values in batch
    )
    return x, lengths


def _all_reduced(values: list[tf.Tensor]) -> list[tf.Tensor]:
    """Sums over the replicas, on each of them. To be called within a replica."""
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, values)
