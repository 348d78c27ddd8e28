"""The training function of a bundle."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from train.backend.step import TrainStep
from train.engine.step_terms import StepTerms

__all__ = ["training_function"]


def training_function(
    step: TrainStep,
    optimizer: keras.optimizers.Optimizer,
    batch_spec: Sequence[tf.TensorSpec],
    num_steps: int,
) -> tf.types.experimental.PolymorphicFunction:
    """Returns a function that makes up to `num_steps` consecutive steps.

    Its arguments are, for each step, `x [N, B, T, ...]`, `lengths [N, B]`, `index [N, B]`, the
    weights of the KL term `[N]` and the learning rates `[N]`; then the number of the first step,
    int64, and the number of steps to make, int32. It returns `[N, M]`, the M fields of
    `StepTerms` of each step, 0 for steps that were not made, and then the new values of
    `step.variables`.

    Args:
      step: Makes one step with one batch.
      optimizer: Its optimiser.
      batch_spec: Shapes of a batch.
      num_steps: N.
    """
    numbers = tf.TensorSpec([num_steps], tf.float32)
    signature = (
        *(tf.TensorSpec([num_steps, *spec.shape], spec.dtype) for spec in batch_spec),
        *(numbers, numbers),
        *(tf.TensorSpec([], tf.int64), tf.TensorSpec([], tf.int32)),
    )

    def run(
        x: tf.Tensor,
        lengths: tf.Tensor,
        index: tf.Tensor,
        kl_weights: tf.Tensor,
        rates: tf.Tensor,
        first: tf.Tensor,
        count: tf.Tensor,
    ) -> tuple[tf.Tensor, ...]:
        def make_step(i: tf.Tensor, terms: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            optimizer.learning_rate.assign(rates[i])
            batch = (x[i], lengths[i], index[i])
            made = step([batch], kl_weights[i], first + tf.cast(i, tf.int64))
            return i + 1, terms.write(i, tf.stack(made))

        terms = tf.TensorArray(tf.float32, num_steps, element_shape=[len(StepTerms._fields)])
        _, terms = tf.while_loop(
            lambda i, _: i < count, make_step, (tf.constant(0), terms), maximum_iterations=num_steps
        )
        return (terms.stack(), *(tf.identity(variable) for variable in step.variables))

    return tf.function(run, input_signature=signature, jit_compile=True, autograph=False)
