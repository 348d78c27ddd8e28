"""`TimeBijector`, the base class of bijectors along time: masks, and loops over the steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.axes import StepsMap, every, later, map_every, move_axis, size_of_axis
from bijectors.base import FlowBijector
from bijectors.loops import Structure, scan
from bijectors.masks import step_mask, zero_unless
from bijectors.time.conditioner import Conditioner, CouplingConditioner

__all__ = ["Direction", "TimeBijector"]

Direction = Callable[[tfp.bijectors.Bijector, tf.Tensor, int], tuple[tf.Tensor, tf.Tensor]]


class TimeBijector(FlowBijector):
    """Base class of bijectors over events `[..., T, H]`.

    Args:
      conditioner: Computes the context of each step.
      hidden: Makes the hidden bijector, over events `[..., H]`, from a context.
      lengths: int `[...]`, broadcast against the batch; None if no sequence is padded.
      stride: Only the steps 0, stride, 2 stride, ... are mapped, as a sequence of their own, which
        is all that the conditioner sees. The others are left as they are.
      name: Name of the bijector.
      dtype: Dtype that values are cast to, that of `hidden`; `keras.config.floatx()` by default.

    Raises:
      ValueError: The lengths or the stride are not whole numbers, or the stride is below 1.

    Example:
      >>> import tensorflow as tf
      >>> from bijectors import Affine, AutoregressiveTime, TimeBijector
      >>> class Total:  # The context of a step: the sum of the vectors before it.
      ...     def covariates(self, batch_shape, num_steps):
      ...         return ()
      ...     def scan(self, inputs, covariates):
      ...         return tf.cumsum(inputs, axis=-2)
      >>> hidden = lambda context: Affine(a=0.5 * context, b=2.0)
      >>> flow: TimeBijector = AutoregressiveTime(Total(), hidden, lengths=[3, 2])
      >>> eps, log_dets = flow.inverse_and_step_log_dets(tf.ones([2, 3, 2]))
      >>> (log_dets / tf.math.log(2.0)).numpy().tolist()  # -2 log 2 a step, 0 beyond a length.
      [[-2.0, -2.0, -2.0], [-2.0, -2.0, 0.0]]
    """

    def __init__(
        self,
        conditioner: Conditioner | CouplingConditioner,
        hidden: Callable[[Structure], tfp.bijectors.Bijector],
        lengths: tf.Tensor | None = None,
        stride: int = 1,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        if not isinstance(stride, int | np.integer) or stride < 1:
            raise ValueError(f"expected a stride, a whole number of at least 1; got {stride}")
        if lengths is not None and not tf.convert_to_tensor(lengths).dtype.is_integer:
            raise ValueError(f"expected lengths that are whole numbers; got {lengths}")
        self._conditioner: Any = conditioner  # A subclass says of which protocol it is.
        self._hidden = hidden
        self._lengths = lengths
        self._stride = stride
        name = name or type(self).__name__
        super().__init__(
            forward_min_event_ndims=2,
            dtype=tf.as_dtype(dtype or keras.config.floatx()),
            parameters={
                "conditioner": conditioner,
                "hidden": hidden,
                "lengths": lengths,
                "stride": stride,
                "name": name,
                "dtype": dtype,
            },
            name=name,
        )

    @classmethod
    def _parameter_properties(cls, dtype: tf.DType | None) -> dict[str, Any]:
        # The lengths determine the batch shape.
        return {"lengths": tfp.util.ParameterProperties(event_ndims=0)}

    def __getitem__(self, slices: Any) -> TimeBijector:
        raise ValueError(
            f"expected a part of the batch to be asked of a new {type(self).__name__}, made with "
            f"the conditioner and the lengths of that part; got [{slices}] of one"
        )

    def _cast(self, values: Any) -> tf.Tensor:
        """See `FlowBijector`; also raises ValueError if the values are not sequences of vectors."""
        values = super()._cast(values)
        if values.shape.rank is None or values.shape.rank < 2:
            raise ValueError(
                f"expected values [..., T, H] for {self.name}; got shape {values.shape}"
            )
        return values

    def inverse_and_step_log_dets(self, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns `(eps, log|deps[t]/dz[t]|)`: log-dets per step `[..., T]`, in nats, 0 in padding.

        If no step depends on later ones, `eps[:k]` and the sum of the first k log-dets are those of
        `z[:k]` alone.
        """
        return self._masked(self._inverse_steps, self._cast(z))

    def contexts(self, z: tf.Tensor) -> Structure:
        """What `hidden` makes the bijectors of all mapped steps of, given latents `[..., T, H]`.

        `hidden(contexts(z))` maps their noise to `z`, and back. Where no step depends on later
        ones, it is at step t the map from `eps[t]` to `z[t]` given `z[:t]`.

        Returns:
          A nest of tensors `[..., M, n]`, for M mapped steps.

        Raises:
          NotImplementedError: The class does not define it.
        """
        z = self._cast(z)
        if self._lengths is not None:
            z = zero_unless(step_mask(self._lengths, z), z)
        return self._contexts(z if self._stride == 1 else every(z, self._stride))

    def forward_within(
        self, eps: tf.Tensor, z: tf.Tensor, start: tf.Tensor, stop: tf.Tensor
    ) -> tf.Tensor:
        """`z` with the steps `start` to `stop - 1` mapped from `eps`, given the z before them.

        Defined where no step depends on later ones. Steps beyond a length stay as they are.

        Args:
          eps: Noise `[..., T, H]`, read within the window.
          z: Latents `[..., T, H]`, whose batch shape broadcasts to that of `eps`.
          start: First step of the window, int32.
          stop: The step after its last one, int32.
        """
        eps, z = self._cast(eps), self._cast(z)
        inside = self._window(z, start, stop)
        return tf.where(inside, self.forward(tf.where(inside, eps, self.inverse(z))), z)

    def _window(self, values: tf.Tensor, start: tf.Tensor, stop: tf.Tensor) -> tf.Tensor:
        """Bool mask of the steps of a window that are within each sequence."""
        steps = tf.range(size_of_axis(values, -2))[:, None]
        inside = (steps >= start) & (steps < stop)
        return inside if self._lengths is None else inside & step_mask(self._lengths, values)

    def _forward_and_log_det(self, eps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        z, log_dets = self._masked(self._forward_steps, eps)
        return z, tf.reduce_sum(log_dets, axis=-1)

    def _inverse_and_log_det(self, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        eps, log_dets = self._masked(self._inverse_steps, z)
        return eps, tf.reduce_sum(log_dets, axis=-1)

    def _forward_steps(self, eps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Maps `[..., T, H]` to `[..., T, H]` and the log-dets of the steps `[..., T]`.

        Padding comes last and is zero. What the map makes of it is discarded, but the map has to
        keep it from influencing the steps within a length (`self._lengths`).
        """
        raise NotImplementedError

    def _inverse_steps(self, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The inverse of `_forward_steps`."""
        raise NotImplementedError

    def _contexts(self, values: tf.Tensor) -> Structure:
        """The contexts of the mapped steps, from all that contexts depend on: latents or noise.

        A map of all steps at once gets them here too, so that they are defined once.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define its contexts")

    def _masked(self, steps: StepsMap, values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        if self._lengths is None:
            mapped, log_det = map_every(self._stride, steps, values)
        else:
            mask = step_mask(self._lengths, values)
            # Padding is zeroed before the map too: a NaN would otherwise reach the gradient.
            mapped, log_det = map_every(self._stride, steps, zero_unless(mask, values))
            mapped = tf.where(mask, mapped, values)
            log_det = zero_unless(mask[..., 0], log_det)
        return mapped, log_det

    def _all_steps(self, direction: Direction, values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Maps all steps at once, with contexts from `values`."""
        return direction(self._hidden(self._contexts(values)), values, 1)

    def _contexts_of_earlier(self, values: tf.Tensor) -> Structure:
        """`_contexts` where the context of a step depends on all earlier steps."""
        return self._conditioner.scan(later(values, 1), self._covariates(values))

    def _covariates(self, values: tf.Tensor) -> Structure:
        return self._conditioner.covariates(tf.shape(values)[:-2], size_of_axis(values, -2))

    def _step_by_step(self, direction: Direction, values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Maps step by step, with contexts from the outputs of earlier steps."""
        return self._serial(direction, values)[0]

    def _serial(
        self, direction: Direction, values: tf.Tensor, keep_states: bool = False
    ) -> tuple[tuple[tf.Tensor, tf.Tensor], Structure]:
        """`_step_by_step`, and the conditioner's states before every step, `[T, ...]` or `()`."""
        covariates = self._covariates(values)
        num_steps = size_of_axis(values, -2)
        state = self._conditioner.initial_state(tf.shape(values)[:-2], num_steps)
        before = tf.zeros_like(tf.reduce_sum(values, axis=-2))  # Works for T = 0 too.

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
        inputs = tf.nest.map_structure(lambda v: move_axis(v, -2, 0), (values, covariates))
        _, (mapped, log_det, states) = scan(step, (before, state), inputs, specs)
        return (move_axis(mapped, 0, -2), move_axis(log_det, 0, -1)), states

    def _one_step(
        self,
        direction: Direction,
        before: tf.Tensor,
        state: Structure,
        value: tf.Tensor,
        covariates: Structure,
    ) -> tuple[tuple[tf.Tensor, tf.Tensor], Structure]:
        """Maps the `value` of one step, given the output `before` of the previous step."""
        context, state = self._conditioner.step(before, covariates, state)
        mapped, log_det = direction(self._hidden(context), value, 1)
        return (tf.ensure_shape(mapped, value.shape), log_det), state
