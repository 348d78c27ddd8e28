"""The protocol between a time bijector and the network that summarises the past for it."""

from __future__ import annotations

from typing import Any, Protocol

import tensorflow as tf

__all__ = ["Conditioner", "Structure"]

Structure = Any  # a nest of tensors


class Conditioner(Protocol):
    """Summarises the vectors of all earlier steps into the context of the present one.

    It is given vectors already shifted by one step: the input of step `t` is the vector of step
    `t - 1`, and zeros at step 0. What is known of every step beforehand (position codes, say) is
    its covariates, which it may merge into the context. `scan` over all steps equals `step` one by
    one.
    """

    def covariates(self, batch_shape: tf.Tensor, num_steps: int | tf.Tensor) -> Structure:
        """Nest of tensors `[..., num_steps, n]` known for every step; `()` when there are none.

        Args:
          batch_shape: int32, that of vectors `[*batch_shape, num_steps, H]`.
          num_steps: T.
        """
        ...

    def initial_state(self, batch_shape: tf.Tensor, num_steps: int | tf.Tensor) -> Structure:
        """State before the first of `num_steps` steps, for vectors `[*batch_shape, H]`.

        A cache of earlier steps has room for all of them.
        """
        ...

    def step(
        self, inputs: tf.Tensor, covariates: Structure, state: Structure
    ) -> tuple[Structure, Structure]:
        """From the inputs `[..., H]` and one step's covariates: `(context, next state)`."""
        ...

    def scan(self, inputs: tf.Tensor, covariates: Structure) -> Structure:
        """The contexts of all steps at once, from shifted inputs `[..., T, H]`."""
        ...
