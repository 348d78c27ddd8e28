"""The compiled training step: the objective, its gradient, and one update of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from bijectors import compiled_loops, loops_are_compiled, products_in

__all__ = ["FAILURE_TERMS", "Batch", "StepTerms", "TrainStep"]

Batch = tuple[tf.Tensor, tf.Tensor]  # x integer [B, T] (music: [B, T, 88]), lengths int32 [B].

FAILURE_TERMS = ("reconstruction", "kl", "length", "gradient norm")


class StepTerms(NamedTuple):
    """What a step reports, scalars: sums over the batch by `sum(T + 1)`, nats per symbol.

    Attributes:
      reconstruction: `-log p(x|z)`, mean over the samples of z.
      kl: `log q(z|x) - log p(z|T)`, mean over the samples of z.
      length: `-log p(T)`.
      gradient_norm: Global norm of the gradient before clipping.
      symbols: The denominator `sum(T + 1)`; the 1 is the end of the sequence.
    """

    reconstruction: tf.Tensor
    kl: tf.Tensor
    length: tf.Tensor
    gradient_norm: tf.Tensor
    symbols: tf.Tensor


class TrainStep:
    """One optimiser step of `loss = sum_b -(reconstruction - kl_weight * kl) / sum_b (T + 1)`.

    The step looks for values that are not finite before it touches the weights. From the first such
    step on every update is skipped, so that the host needs to look (`failure`) only now and then.
    Random numbers depend on `(seed, step, batch, replica)` alone.
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
          strategy: How batches are spread over devices.
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
            tf.function(self._sums_and_gradients, jit_compile=True)
            if jit
            else (self._sums_and_gradients)
        )
        with strategy.scope():
            # Step and index of the term (FAILURE_TERMS) that first was not finite; -1: none was.
            self._failure = tf.Variable([-1, -1], dtype=tf.int64, trainable=False)
            if accumulation_steps > 1:
                self._gradients = [tf.Variable(tf.zeros_like(v)) for v in self._variables]
                self._sums = tf.Variable(tf.zeros([4], self._dtype), trainable=False)
        scalars = (tf.TensorSpec([], self._dtype), tf.TensorSpec([], tf.int64))
        batch = None if jit else tuple(batch_spec)
        self._whole = tf.function(
            self._whole_step, input_signature=None if jit else (batch, *scalars)
        )
        self._accumulate = tf.function(
            self._accumulate_batch,
            input_signature=None if jit else (batch, *scalars, tf.TensorSpec([], tf.int32)),
        )
        self._finish = tf.function(
            self._finish_step, input_signature=(tf.TensorSpec([], tf.int64),)
        )

    def __call__(self, batches: Sequence[Batch], kl_weight: float, step: int) -> StepTerms:
        """Makes step number `step` with one batch, or adds up the gradients of several."""
        weight, number = tf.constant(kl_weight, self._dtype), tf.constant(step, tf.int64)
        if self._accumulation_steps == 1:
            return self._whole(batches[0], weight, number)
        for i, batch in enumerate(batches):
            self._accumulate(batch, weight, number, tf.constant(i))
        return self._finish(number)

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

    def _reduced(
        self, batch: Batch, kl_weight: tf.Tensor, step: tf.Tensor, index: tf.Tensor | int
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Returns `_sums_and_gradients`, summed over the replicas."""

        def on_replica(batch: Batch) -> tuple[tf.Tensor, list[tf.Tensor]]:
            replica = tf.distribute.get_replica_context().replica_id_in_sync_group
            seed = tf.stack([tf.constant(self._seed, tf.int32), tf.cast(step, tf.int32)])
            seed = tf.random.experimental.stateless_fold_in(seed, index)
            seed = tf.random.experimental.stateless_fold_in(seed, replica)
            # Replicas are traced by threads of their own, which know nothing of this one's choices.
            with products_in(self._products), compiled_loops(self._compile_loops):
                return self._replica_sums(batch, kl_weight, seed)

        sums, gradients = self._strategy.run(on_replica, args=(batch,))
        reduce = tf.distribute.ReduceOp.SUM
        return (
            self._strategy.reduce(reduce, sums, axis=None),
            [self._strategy.reduce(reduce, gradient, axis=None) for gradient in gradients],
        )

    def _whole_step(self, batch: Batch, kl_weight: tf.Tensor, step: tf.Tensor) -> StepTerms:
        """A step of one batch."""
        return self._update(*self._reduced(batch, kl_weight, step, 0), step)

    def _accumulate_batch(
        self, batch: Batch, kl_weight: tf.Tensor, step: tf.Tensor, index: tf.Tensor
    ) -> None:
        """Adds a batch's sums and gradients to those of the step."""
        sums, gradients = self._reduced(batch, kl_weight, step, index)
        self._sums.assign_add(sums)
        for total, gradient in zip(self._gradients, gradients, strict=True):
            total.assign_add(gradient)

    def _finish_step(self, step: tf.Tensor) -> StepTerms:
        """A step with the gradients that were added up, which it clears."""
        terms = self._update(
            tf.identity(self._sums), [tf.identity(g) for g in self._gradients], step
        )
        with tf.control_dependencies(terms):
            for variable in (self._sums, *self._gradients):
                variable.assign(tf.zeros_like(variable))
        return terms

    def _update(self, sums: tf.Tensor, gradients: list[tf.Tensor], step: tf.Tensor) -> StepTerms:
        """Updates the weights, unless a value is, or once was, not finite."""
        symbols = tf.maximum(sums[3], 1)
        norm = tf.linalg.global_norm(gradients) / symbols
        terms = StepTerms(sums[0] / symbols, sums[1] / symbols, sums[2] / symbols, norm, symbols)
        # In the order of FAILURE_TERMS: a bad term makes a bad gradient, and is named first.
        bad = tf.logical_not(tf.math.is_finite(tf.stack(terms[:4])))
        scale = tf.minimum(1.0, self._clip_norm / norm) / symbols

        def apply() -> tf.Tensor:
            scaled = [gradient * scale for gradient in gradients]
            self._optimizer.apply(scaled, self._model.trainable_variables)
            return tf.constant(True)

        def note() -> tf.Tensor:
            first = tf.stack([step, tf.argmax(tf.cast(bad, tf.int32))])
            self._failure.assign(tf.where(self._failure < 0, first, self._failure))
            return tf.constant(False)

        failed = tf.logical_or(tf.reduce_any(bad), self._failure[0] >= 0)
        tf.cond(failed, note, apply)
        return terms
