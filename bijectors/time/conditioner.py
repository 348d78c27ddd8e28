"""The protocol between a time bijector and the network that summarises the past."""

from __future__ import annotations

from typing import Protocol

import tensorflow as tf

from bijectors.loops import Structure

__all__ = ["Conditioner", "CouplingConditioner"]


class Conditioner(Protocol):
    """Summarises the vectors of all earlier steps in the context of the current step.

    Its inputs are already shifted by one step: the input of step `t` is the vector of step `t - 1`,
    and zeros at step 0. Covariates are what is known about each step in advance, such as position
    codes; the context may contain them. `scan` over all steps must give the same contexts as
    `step`, one step at a time.

    Example:
      >>> import tensorflow as tf
      >>> from bijectors import Conditioner, Structure
      >>> class Total:  # The context of a step: the sum of the vectors before it.
      ...     def covariates(self, batch_shape, num_steps):
      ...         return ()
      ...     def initial_state(self, batch_shape, num_steps):
      ...         return tf.zeros(tf.concat([batch_shape, [2]], axis=0))
      ...     def step(self, inputs, covariates, state):
      ...         return state + inputs, state + inputs
      ...     def scan(self, inputs, covariates):
      ...         return tf.cumsum(inputs, axis=-2)
      >>> total: Conditioner = Total()
      >>> total.scan(tf.ones([1, 3, 2]), ())[0].numpy().tolist()
      [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]
    """

    def covariates(self, batch_shape: tf.Tensor, num_steps: int | tf.Tensor) -> Structure:
        """Nest of tensors `[..., num_steps, n]` with the covariates of every step, or `()`.

        Args:
          batch_shape: int32; the vectors are `[*batch_shape, num_steps, H]`.
          num_steps: T, the number of steps.
        """
        ...

    def initial_state(self, batch_shape: tf.Tensor, num_steps: int | tf.Tensor) -> Structure:
        """State before the first of `num_steps` steps, for vectors `[*batch_shape, H]`.

        If the state caches earlier steps, it must have room for all of them.
        """
        ...

    def step(
        self, inputs: tf.Tensor, covariates: Structure, state: Structure
    ) -> tuple[Structure, Structure]:
        """Returns `(context, next state)` from the inputs `[..., H]` and covariates of one step."""
        ...

    def scan(self, inputs: tf.Tensor, covariates: Structure) -> Structure:
        """Returns the contexts of all steps at once, `[..., T, n]`, from inputs `[..., T, H]`."""
        ...


class CouplingConditioner(Protocol):
    """Summarises the kept steps of a coupling in the context of each mapped step.

    Example:
      >>> import tensorflow as tf
      >>> from bijectors import CouplingConditioner
      >>> class Total:  # The context of a step: the sum of the kept vectors before it.
      ...     def covariates(self, batch_shape, num_steps):
      ...         return ()
      ...     def between(self, inputs, covariates, first):
      ...         return tf.cumsum(inputs, axis=-2)[..., first::2, :]
      >>> total: CouplingConditioner = Total()
      >>> total.between(tf.constant([[[1.0], [0.0], [2.0], [0.0]]]), (), 1).numpy().tolist()
      [[[1.0], [3.0]]]
    """

    def covariates(self, batch_shape: tf.Tensor, num_steps: int | tf.Tensor) -> Structure:
        """See `Conditioner`."""
        ...

    def between(self, inputs: tf.Tensor, covariates: Structure, first: int) -> Structure:
        """Returns the contexts of the mapped steps, `[..., M, n]`.

        Args:
          inputs: The vectors of the kept steps, and zeros at the others, `[..., T, H]`.
          covariates: Of all T steps.
          first: The first mapped step, 0 or 1. The mapped steps are first, first + 2, ...
        """
        ...
