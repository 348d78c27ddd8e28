"""Bijectors along time: autoregressive, inverse autoregressive, independent.

Each applies a hidden bijector at every step of an event `[T, H]`. They differ in what the context
of a step may depend on.
"""

from __future__ import annotations

import tensorflow as tf

from bijectors.axes import size_of_axis
from bijectors.base import forward_and_log_det, inverse_and_log_det
from bijectors.loops import Structure
from bijectors.time.base import TimeBijector

__all__ = ["AutoregressiveTime", "IndependentTime", "InverseAutoregressiveTime"]


class AutoregressiveTime(TimeBijector):
    """AF in time: `z[t] = f(eps[t]; z[:t])` with the hidden bijector f; density parallel in t.

    Source: section 4.3 of Ziegler & Rush (2019), models 1 and 2.

    Example:
      >>> import tensorflow as tf
      >>> from bijectors import Affine, AutoregressiveTime
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
      >>> z = AutoregressiveTime(Total(), hidden).forward(tf.ones([1, 3, 2]))
      >>> z[0].numpy().tolist()  # z[t] = 2 eps[t] + sum(z[:t]) / 2
      [[2.0, 2.0], [3.0, 3.0], [4.5, 4.5]]
    """

    def _forward_steps(self, eps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._step_by_step(forward_and_log_det, eps)

    def _inverse_steps(self, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._all_steps(inverse_and_log_det, z)

    def _contexts(self, values: tf.Tensor) -> Structure:
        return self._contexts_of_earlier(values)

    def forward_within(
        self, eps: tf.Tensor, z: tf.Tensor, start: tf.Tensor, stop: tf.Tensor
    ) -> tf.Tensor:
        """See `TimeBijector`. Maps the steps of the window alone."""
        if self._stride > 1:
            return super().forward_within(eps, z, start, stop)
        eps, z = self._cast(eps), self._cast(z)
        num_steps = size_of_axis(z, -2)
        # The batch of z may be smaller.
        of_z, of_eps = self._covariates(z), self._covariates(eps)

        def at(values: tf.Tensor, t: tf.Tensor) -> tf.Tensor:
            return tf.gather(values, t, axis=-2)

        def for_eps(values: tf.Tensor) -> tf.Tensor:
            own = tf.shape(values)[z.shape.rank - 2 :]
            return tf.broadcast_to(values, tf.concat([tf.shape(eps)[:-2], own], axis=0))

        def pass_by(t: tf.Tensor, before: tf.Tensor, state: Structure) -> tuple:
            own = tf.nest.map_structure(lambda values: at(values, t), of_z)
            return t + 1, at(z, t), self._conditioner.step(before, own, state)[1]

        def map_one(t: tf.Tensor, before: tf.Tensor, state: Structure, mapped: tf.Tensor) -> tuple:
            own = tf.nest.map_structure(lambda values: at(values, t), of_eps)
            (new, _), state = self._one_step(forward_and_log_det, before, state, at(eps, t), own)
            here = tf.range(num_steps)[:, None] == t
            return t + 1, new, state, tf.where(here, new[..., None, :], mapped)

        # The state before the window is the same for all that have the same z.
        state = self._conditioner.initial_state(tf.shape(z)[:-2], num_steps)
        first = tf.zeros_like(tf.reduce_sum(z, axis=-2))
        t, before, state = tf.while_loop(
            lambda t, *_: t < tf.minimum(start, num_steps), pass_by, (tf.constant(0), first, state)
        )
        before, state = tf.nest.map_structure(for_eps, (before, state))
        *_, mapped = tf.while_loop(
            lambda t, *_: t < tf.minimum(stop, num_steps),
            map_one,
            (t, before, state, tf.zeros_like(eps)),
        )
        return tf.where(self._window(eps, start, stop), mapped, z)


class InverseAutoregressiveTime(TimeBijector):
    """IAF in time: `z[t] = f(eps[t]; eps[:t])` with the hidden bijector f; sampling parallel in t.

    Source: section 4.3 of Ziegler & Rush (2019), model 3.

    Example:
      >>> import tensorflow as tf
      >>> from bijectors import Affine, InverseAutoregressiveTime
      >>> class Total:  # The context of a step: the sum of the vectors before it.
      ...     def covariates(self, batch_shape, num_steps):
      ...         return ()
      ...     def scan(self, inputs, covariates):
      ...         return tf.cumsum(inputs, axis=-2)
      >>> hidden = lambda context: Affine(a=0.5 * context, b=2.0)
      >>> z = InverseAutoregressiveTime(Total(), hidden).forward(tf.ones([1, 3, 2]))
      >>> z[0].numpy().tolist()  # z[t] = 2 eps[t] + sum(eps[:t]) / 2
      [[2.0, 2.0], [2.5, 2.5], [3.0, 3.0]]
    """

    def _forward_steps(self, eps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._all_steps(forward_and_log_det, eps)

    def _inverse_steps(self, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._step_by_step(inverse_and_log_det, z)

    def contexts(self, z: tf.Tensor) -> Structure:
        """See `TimeBijector`. They depend on the noise that the latents came from."""
        return super().contexts(self.inverse(z))

    def _contexts(self, values: tf.Tensor) -> Structure:
        return self._contexts_of_earlier(values)


class IndependentTime(TimeBijector):
    """No structure in time: `z[t] = f(eps[t])`; the context contains only the covariates.

    The conditioner's `scan` gets zeros instead of the vectors.

    Example:
      >>> import tensorflow as tf
      >>> from bijectors import Affine, IndependentTime
      >>> class Total:  # The context of a step: the sum of the vectors before it.
      ...     def covariates(self, batch_shape, num_steps):
      ...         return ()
      ...     def scan(self, inputs, covariates):
      ...         return tf.cumsum(inputs, axis=-2)
      >>> hidden = lambda context: Affine(a=0.5 * context, b=2.0)
      >>> z = IndependentTime(Total(), hidden).forward(tf.ones([1, 3, 2]))
      >>> z[0].numpy().tolist()  # z[t] = 2 eps[t]
      [[2.0, 2.0], [2.0, 2.0], [2.0, 2.0]]
    """

    def _forward_steps(self, eps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._all_steps(forward_and_log_det, eps)

    def _inverse_steps(self, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._all_steps(inverse_and_log_det, z)

    def _contexts(self, values: tf.Tensor) -> Structure:
        return self._conditioner.scan(tf.zeros_like(values), self._covariates(values))
