"""IAF in time with a custom gradient: one short serial loop backwards, the rest in parallel."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from bijectors.axes import later, move_axis
from bijectors.loops import Structure, scan
from bijectors.time.base import Direction
from bijectors.time.structures import InverseAutoregressiveTime

__all__ = ["AdjointInverseAutoregressiveTime"]


class AdjointInverseAutoregressiveTime(InverseAutoregressiveTime):
    """The map of `InverseAutoregressiveTime`, whose density has a gradient by the adjoint method.

    The serial direction solves `eps[t] = g(z[t]; h(eps[:t]))` step by step. Once the solution is
    known, so are all contexts, and the same `eps` are functions of all steps at once:
    `h = conditioner.scan(eps)` and `eps = g(z; h)`. The gradient is computed in two parts:

    1. `adjoint[t]` is `d_eps[t]` plus the contributions of `eps[t]` to later steps. This takes a
       loop from the last step to the first, without the gradient of any weight.
    2. The gradients of `z` and of all weights are those of the functions of all steps at once, with
       `adjoint` as the gradient of their `eps`.

    Automatic differentiation of the loop would instead add to the gradient of every weight at every
    step.

    `z` and the variables that the conditioner and the hidden bijectors read get gradients. Tensors
    from which these were built are treated as constants.

    Example:
      >>> import tensorflow as tf
      >>> from bijectors import Affine, AdjointInverseAutoregressiveTime
      >>> class Total:  # The context of a step: the sum of the vectors before it.
      ...     def covariates(self, batch_shape, num_steps):
      ...         return ()
      ...     def initial_state(self, batch_shape, num_steps):
      ...         return tf.zeros(tf.concat([batch_shape, [2]], axis=0))
      ...     def step(self, inputs, covariates, state):
      ...         return state + inputs, state + inputs
      ...     def scan(self, inputs, covariates):
      ...         return tf.cumsum(inputs, axis=-2)
      >>> hidden = lambda context: Affine(a=0.5 * context, b=2.0)
      >>> z = tf.Variable(tf.ones([1, 3, 2]))
      >>> with tf.GradientTape() as tape:
      ...     eps = AdjointInverseAutoregressiveTime(Total(), hidden).inverse(z)
      >>> tape.gradient(eps, z)[0].numpy().tolist()
      [[0.28125, 0.28125], [0.375, 0.375], [0.5, 0.5]]
    """

    def _step_by_step(self, direction: Direction, values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        @tf.custom_gradient
        def mapped_and_log_det(values: tf.Tensor) -> tuple[tuple[tf.Tensor, tf.Tensor], Any]:
            (mapped, log_det), states = self._serial(direction, values, keep_states=True)

            def grad(
                d_mapped: tf.Tensor, d_log_det: tf.Tensor, variables: list[Any] | None = None
            ) -> Any:
                before = later(mapped, 1)
                adjoint = self._adjoint(direction, values, before, states, d_mapped, d_log_det)
                with tf.GradientTape() as tape:
                    tape.watch(values)
                    outputs = direction(self._hidden(self._contexts(mapped)), values, 1)
                sources = (values, list(variables or ()))
                d_values, d_variables = tape.gradient(
                    outputs, sources, (adjoint, d_log_det), tf.UnconnectedGradients.ZERO
                )
                if variables is None:
                    return d_values
                return d_values, [tf.convert_to_tensor(d) for d in d_variables]

            return (mapped, log_det), grad

        return mapped_and_log_det(values)

    def _adjoint(
        self,
        direction: Direction,
        values: tf.Tensor,
        before: tf.Tensor,
        states: Structure,
        d_mapped: tf.Tensor,
        d_log_det: tf.Tensor,
    ) -> tf.Tensor:
        """`d_mapped [..., T, H]` plus the contributions of each step to later ones."""
        covariates = self._covariates(values)

        def step(carry: Structure, inputs: Structure) -> tuple[Structure, tf.Tensor]:
            d_before, d_state = carry
            value, before, covariates, d_mapped, d_log_det, state = inputs
            d_mapped += d_before
            with tf.GradientTape() as tape:
                tape.watch((before, state))
                outputs, new_state = self._one_step(direction, before, state, value, covariates)
            d_before, d_state = tape.gradient(
                (outputs, new_state),
                (before, state),
                ((d_mapped, d_log_det), d_state),
                tf.UnconnectedGradients.ZERO,
            )
            return (d_before, d_state), d_mapped

        first = tf.nest.map_structure(lambda s: tf.zeros(tf.shape(s)[1:], s.dtype), states)
        zero = tf.zeros_like(tf.reduce_sum(values, axis=-2))
        inputs = tf.nest.map_structure(
            lambda v: move_axis(v, -2, 0), (values, before, covariates, d_mapped)
        )
        inputs = (*inputs, move_axis(d_log_det, -1, 0), states)
        spec = tf.TensorSpec(zero.shape, zero.dtype)
        _, adjoint = scan(step, (zero, first), inputs, spec, reverse=True)
        return move_axis(adjoint, 0, -2)
