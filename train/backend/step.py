"""The compiled training step: the objective, its gradient, and one update of the weights."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from tf_latentflow import Noise, Terms
from train.backend.devices import update_weights
from train.engine.settings import LoopSettings
from train.engine.step_terms import FAILURE_TERMS, StepTerms

__all__ = ["TensorBatch", "TrainStep"]

# x integer [B, T] (music: [B, T, 88]), lengths int32 [B], the rows' places in the data int32 [B].
TensorBatch = tuple[tf.Tensor, tf.Tensor, tf.Tensor]


class TrainStep:
    """One optimiser step of `loss = sum_b (kl_weight * kl - reconstruction) / sum_b (T + 1)`.

    A step checks that all values are finite before it changes the weights. If one is not, all
    later updates are skipped too, so that the host needs to check `failure` only now and then.

    Replica r of n gets the rows `r, r + n, ...` of a batch. Sums and gradients are added over the
    replicas, and the random numbers of a row depend only on the seed, the step and its place in the
    data. The result of a step is therefore the same with n replicas as with one device.
    """

    def __init__(
        self,
        config: LoopSettings,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        strategy: tf.distribute.Strategy,
        batch_spec: Sequence[tf.TensorSpec],
    ) -> None:
        """Makes the step of a model.

        Args:
          config: Settings of the run; with `jit`, XLA compiles each shape of a batch separately.
          model: A model with `elbo` and `length_model`, made in the strategy's scope.
          optimizer: Optimiser of the model's trainable variables, made in the strategy's scope.
          strategy: The devices of this process.
          batch_spec: Shapes of a batch, with None for sizes that vary, so that one trace suffices.
        """
        self._model = model
        self._optimizer = optimizer
        self._strategy = strategy
        self._config = config
        self._variables = [variable.value for variable in model.trainable_variables]
        self._replica_sums = (
            tf.function(self._sums_and_gradients, jit_compile=True, autograph=False)
            if config.jit
            else self._sums_and_gradients
        )
        with strategy.scope():
            # Step and index (in FAILURE_TERMS) of the first term that was not finite; -1 for none.
            self._failure = tf.Variable([-1, -1], dtype=tf.int64, trainable=False)
        number = tf.TensorSpec([], tf.int64)
        weight = tf.TensorSpec([], self._dtype)
        self._gradients = tf.function(
            self._gradients_of_batch,
            input_signature=None if config.jit else (tuple(batch_spec), weight, number),
            autograph=False,
        )
        self._update = tf.function(self._update_weights, autograph=False)

    def __call__(
        self, batches: Sequence[TensorBatch], kl_weight: float | tf.Tensor, step: int | tf.Tensor
    ) -> StepTerms:
        """Makes step number `step`, with the gradients summed over the batches."""
        weight = tf.convert_to_tensor(kl_weight, self._dtype)
        number = tf.convert_to_tensor(step, tf.int64)
        sums = self._gradients(batches[0], weight, number)
        for batch in batches[1:]:
            more = self._gradients(batch, weight, number)
            sums = [a + b for a, b in zip(sums, more, strict=True)]
        return self._update(sums, number)

    @property
    def variables(self) -> list[tf.Variable]:
        """Everything that a step changes: weights, the optimiser's variables, `failure`."""
        optimizer = [variable.value for variable in self._optimizer.variables]
        return [*self._variables, *optimizer, self._failure]

    @property
    def failure(self) -> tuple[int, str] | None:
        """Step and name of the first term that was not finite, or None. Waits for the device."""
        step, term = (int(i) for i in self._failure.numpy())
        return None if step < 0 else (step, FAILURE_TERMS[term])

    @property
    def _dtype(self) -> tf.DType:
        return tf.as_dtype(keras.config.floatx())

    def _sums_and_gradients(
        self, batch: TensorBatch, kl_weight: tf.Tensor, step: tf.Tensor
    ) -> list[tf.Tensor]:
        """The sums of `StepTerms` over a share of a batch, and the gradients of the summed loss."""
        x, lengths, index = batch
        noise = Noise(tf.stack([tf.constant(self._config.seed), tf.cast(step, tf.int32)]), index)
        with tf.GradientTape() as tape:
            elbo = self._model.elbo(x, lengths, self._config.elbo_samples, noise, training=True)
            terms = Terms(*(tf.reduce_sum(tf.reduce_mean(term, axis=0)) for term in elbo))
            loss = kl_weight * terms.kl - terms.reconstruction
        gradients = [
            tf.zeros_like(v) if g is None else tf.convert_to_tensor(g)
            for g, v in zip(tape.gradient(loss, self._variables), self._variables, strict=True)
        ]
        real = lengths > 0  # Rows of length 0 fill a short batch.
        log_length = self._model.length_model.log_prob(lengths)
        log_length = tf.reduce_sum(tf.where(real, log_length, tf.zeros_like(log_length)))
        symbols = tf.reduce_sum(tf.where(real, lengths + 1, 0))
        sums = [tf.cast(value, self._dtype) for value in (*terms, log_length, symbols)]
        return [tf.stack(sums), *gradients]

    def _gradients_of_batch(
        self, batch: TensorBatch, kl_weight: tf.Tensor, step: tf.Tensor
    ) -> list[tf.Tensor]:
        """`_sums_and_gradients` of a whole batch, summed over the replicas."""

        def on_replica() -> list[tf.Tensor]:
            replicas = self._strategy.num_replicas_in_sync
            context = tf.distribute.get_replica_context()
            own = batch
            if replicas > 1:
                own = _share(batch, context.replica_id_in_sync_group, replicas)
            values = self._replica_sums(own, kl_weight, step)
            return context.all_reduce(tf.distribute.ReduceOp.SUM, values)

        summed = self._strategy.run(on_replica)
        # All replicas have the same values; these are those of the first.
        return [self._strategy.experimental_local_results(value)[0] for value in summed]

    def _update_weights(self, summed: list[tf.Tensor], step: tf.Tensor) -> StepTerms:
        """Updates the weights, unless a value of this or an earlier step is not finite."""
        sums, *gradients = summed
        *terms, symbols = tf.unstack(sums)
        norm = _global_norm(gradients) / symbols
        made = StepTerms(*terms, symbols, norm)
        looked_at = tf.stack([getattr(made, name) for name in FAILURE_TERMS])
        bad = tf.logical_not(tf.math.is_finite(looked_at))
        scale = tf.minimum(1.0, self._config.clip_norm / norm) / symbols

        def apply() -> tf.Tensor:
            variables = self._model.trainable_variables
            update_weights(self._strategy, self._optimizer, variables, gradients, scale)
            return tf.constant(True)

        def note() -> tf.Tensor:
            first = tf.stack([step, tf.argmax(tf.cast(bad, tf.int32))])
            self._failure.assign(tf.where(self._failure < 0, first, self._failure))
            return tf.constant(False)

        failed = tf.logical_or(tf.reduce_any(bad), self._failure[0] >= 0)
        tf.cond(failed, note, apply)
        return made


def _global_norm(gradients: Sequence[tf.Tensor]) -> tf.Tensor:
    """The norm of all gradients together, finite even where their squares are not."""
    norm = tf.linalg.global_norm(gradients)

    def scaled() -> tf.Tensor:
        largest = tf.reduce_max([tf.reduce_max(tf.abs(g)) for g in gradients])
        return largest * tf.linalg.global_norm([g / largest for g in gradients])

    return tf.cond(tf.math.is_finite(norm), lambda: norm, scaled)


def _share(batch: TensorBatch, replica: tf.Tensor, replicas: int) -> TensorBatch:
    """The rows of one replica. All have the same number of rows; some rows may have length 0."""
    missing = -tf.shape(batch[1])[0] % replicas
    x, lengths, index = (
        tf.pad(values, [[0, missing], *[[0, 0]] * (values.shape.rank - 1)])[replica::replicas]
        for values in batch
    )
    return x, lengths, index
