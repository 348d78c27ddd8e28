"""Bijectors along time: autoregressive, inverse autoregressive, independent.

Each applies a hidden bijector at every step of an event `[T, H]` and differs in what the context of
that step may depend on. Steps at or beyond a sequence's length are mapped to themselves: they add
exactly 0 to the log-det and no value there, NaN included, changes anything within the length.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.base import FlowBijector, forward_and_log_det, inverse_and_log_det
from bijectors.conditioner import Conditioner, Structure
from bijectors.scan import scan

__all__ = [
    "TIME_STRUCTURES",
    "AutoregressiveTime",
    "IndependentTime",
    "InverseAutoregressiveTime",
    "TimeBijector",
]

Direction = Callable[[tfp.bijectors.Bijector, tf.Tensor, int], tuple[tf.Tensor, tf.Tensor]]


class TimeBijector(FlowBijector):
    """Base of the bijectors over events `[..., T, H]`.

    Args:
      conditioner: Makes the context of each step.
      hidden: Makes the hidden bijector, events `[..., H]`, from a context.
      lengths: int `[...]`, broadcast against the batch; None when all steps count.
      name: Name of the bijector.
    """

    def __init__(
        self,
        conditioner: Conditioner,
        hidden: Callable[[Structure], tfp.bijectors.Bijector],
        lengths: tf.Tensor | None = None,
        name: str | None = None,
    ) -> None:
        self._conditioner = conditioner
        self._hidden = hidden
        self._lengths = lengths
        super().__init__(forward_min_event_ndims=2, name=name or type(self).__name__)

    def _forward_and_log_det(self, eps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._masked(self._forward_steps, eps)

    def _inverse_and_log_det(self, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._masked(self._inverse_steps, z)

    def _forward_steps(self, eps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Maps all steps, `[..., T, H]` to `[..., T, H]` and a log-det per step `[..., T]`."""
        raise NotImplementedError

    def _inverse_steps(self, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        raise NotImplementedError

    def _masked(
        self, steps: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]], values: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        if self._lengths is None:
            mapped, log_det = steps(values)
        else:
            mask = tf.sequence_mask(self._lengths, _num_steps(values))
            vector_mask = mask[..., None]
            # Zeros before, not only a choice after: a NaN would come back through the gradient.
            mapped, log_det = steps(tf.where(vector_mask, values, tf.zeros_like(values)))
            mapped = tf.where(vector_mask, mapped, values)
            log_det = tf.where(mask, log_det, tf.zeros_like(log_det))
        return mapped, tf.reduce_sum(log_det, axis=-1)

    def _all_steps(self, direction: Direction, values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Maps every step at once; the contexts come from `values` themselves, one step earlier."""
        covariates = self._conditioner.covariates(_num_steps(values))
        contexts = self._conditioner.scan(one_step_earlier(values), covariates)
        return direction(self._hidden(contexts), values, 1)

    def _step_by_step(self, direction: Direction, values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Maps step after step; the contexts come from what earlier steps were mapped to."""
        return self._serial(direction, values)[0]

    def _serial(
        self, direction: Direction, values: tf.Tensor, keep_states: bool = False
    ) -> tuple[tuple[tf.Tensor, tf.Tensor], Structure]:
        """`_step_by_step`, and the conditioner's states before every step, `[T, ...]`, or ()."""
        covariates = self._conditioner.covariates(_num_steps(values))
        state = self._conditioner.initial_state(tf.shape(values)[:-2])
        before = tf.zeros_like(tf.reduce_sum(values, axis=-2))  # defined for T = 0 too

        def step(
            carry: tuple[tf.Tensor, Structure], inputs: tuple[tf.Tensor, Structure]
        ) -> tuple[tuple[tf.Tensor, Structure], Structure]:
            (mapped, log_det), state = self._one_step(direction, *carry, *inputs)
            return (mapped, state), (mapped, log_det, carry[1] if keep_states else ())

        specs = (
            tf.TensorSpec(before.shape, values.dtype),
            tf.TensorSpec(before.shape[:-1], values.dtype),
            tf.nest.map_structure(lambda s: tf.TensorSpec(s.shape, s.dtype), state)
            if keep_states
            else (),
        )
        inputs = tf.nest.map_structure(time_first, (values, covariates))
        _, (mapped, log_det, states) = scan(step, (before, state), inputs, specs)
        return (time_back(mapped, -2), time_back(log_det, -1)), states

    def _one_step(
        self,
        direction: Direction,
        before: tf.Tensor,
        state: Structure,
        value: tf.Tensor,
        covariates: Structure,
    ) -> tuple[tuple[tf.Tensor, tf.Tensor], Structure]:
        """Maps the `value` of a step, given what the step `before` was mapped to."""
        context, state = self._conditioner.step(before, covariates, state)
        mapped, log_det = direction(self._hidden(context), value, 1)
        return (tf.ensure_shape(mapped, value.shape), log_det), state


class AutoregressiveTime(TimeBijector):
    """AF in time: `z[t] = f(eps[t]; z[:t])`, f the hidden bijector; density parallel in t.

    Source: section 4.3 of Ziegler & Rush (2019), models 1 and 2.
    """

    def _forward_steps(self, eps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._step_by_step(forward_and_log_det, eps)

    def _inverse_steps(self, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._all_steps(inverse_and_log_det, z)


class InverseAutoregressiveTime(TimeBijector):
    """IAF in time: `z[t] = f(eps[t]; eps[:t])`, f the hidden bijector; sampling parallel in t.

    Source: section 4.3 of Ziegler & Rush (2019), model 3.
    """

    def _forward_steps(self, eps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._all_steps(forward_and_log_det, eps)

    def _inverse_steps(self, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._step_by_step(inverse_and_log_det, z)


class IndependentTime(TimeBijector):
    """No structure in time: `z[t] = f(eps[t])`; the context holds the covariates only.

    The conditioner's `scan` is given zeros, so that it cannot pass anything on.
    """

    def _map(self, direction: Direction, values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        covariates = self._conditioner.covariates(_num_steps(values))
        contexts = self._conditioner.scan(tf.zeros_like(values), covariates)
        return direction(self._hidden(contexts), values, 1)

    def _forward_steps(self, eps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._map(forward_and_log_det, eps)

    def _inverse_steps(self, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._map(inverse_and_log_det, z)


def _num_steps(values: tf.Tensor) -> int | tf.Tensor:
    static = values.shape[-2]
    return tf.shape(values)[-2] if static is None else static


def one_step_earlier(values: tf.Tensor) -> tf.Tensor:
    """`[..., T, H]`, at each step the vector of the step before it, 0 at the first."""
    return tf.concat([tf.zeros_like(values[..., :1, :]), values[..., :-1, :]], axis=-2)


def time_first(values: tf.Tensor) -> tf.Tensor:
    """Moves the last axis but one to the front."""
    rank = len(values.shape)
    return tf.transpose(values, [rank - 2, *range(rank - 2), rank - 1])


def time_back(values: tf.Tensor, axis: int) -> tf.Tensor:
    """Moves the first axis to `axis`, counted from the end."""
    rank = len(values.shape)
    order = list(range(1, rank))
    order.insert(rank + axis, 0)
    return tf.transpose(values, order)


TIME_STRUCTURES: dict[str, type[TimeBijector]] = {
    "af": AutoregressiveTime,
    "iaf": InverseAutoregressiveTime,
    "none": IndependentTime,
}
