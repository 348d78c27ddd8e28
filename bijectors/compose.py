"""Composition of bijectors, and the reversal of dimensions between layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.base import FlowBijector, forward_and_log_det, inverse_and_log_det

__all__ = ["Compose", "Reverse", "with_reversals"]


class Compose(FlowBijector):
    """`forward = f[0] o f[1] o ... o f[n-1]`, in the order of `tfb.Chain`, over events `[..., H]`.

    Each `FlowBijector` among the members is evaluated only once, for its value and its log-det.

    Args:
      bijectors: TFP bijectors that preserve the shape of their events, which have at most
        `event_ndims` dimensions.
      event_ndims: Dimensions of an event: 1 for vectors, 2 for sequences `[..., T, H]`.
      name: Name of the bijector.

    Example:
      >>> from bijectors import Affine, Compose
      >>> both = Compose([Affine(a=1.0, b=1.0), Affine(a=0.0, b=2.0)], event_ndims=1)
      >>> both.forward([1.0, 2.0]).numpy().tolist()  # 2 x first, then + 1.
      [3.0, 5.0]
    """

    def __init__(
        self,
        bijectors: Sequence[tfp.bijectors.Bijector],
        event_ndims: int = 1,
        name: str = "compose",
    ) -> None:
        self._bijectors = tuple(bijectors)
        self._event_ndims = event_ndims
        dtypes = [member.dtype for member in self._bijectors if member.dtype is not None]
        super().__init__(
            forward_min_event_ndims=event_ndims,
            dtype=dtypes[0] if dtypes else None,
            parameters={
                "bijectors": self._bijectors,
                "event_ndims": event_ndims,
                "name": name,
            },
            name=name,
        )

    @property
    def bijectors(self) -> tuple[tfp.bijectors.Bijector, ...]:
        """The members. `forward` applies the first of them last."""
        return self._bijectors

    @classmethod
    def _parameter_properties(cls, dtype: tf.DType | None) -> dict[str, Any]:
        def event_ndims(self: Compose, x_event_ndims: int) -> tuple[int, ...]:
            return (x_event_ndims,) * len(self.bijectors)

        return {"bijectors": tfp.util.BatchedComponentProperties(event_ndims=event_ndims)}

    def _forward_and_log_det(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        total = tf.zeros(tf.shape(x)[: -self._event_ndims], x.dtype)
        for bijector in reversed(self._bijectors):
            x, log_det = forward_and_log_det(bijector, x, self._event_ndims)
            total += log_det
        return x, total

    def _inverse_and_log_det(self, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        total = tf.zeros(tf.shape(y)[: -self._event_ndims], y.dtype)
        for bijector in self._bijectors:
            y, log_det = inverse_and_log_det(bijector, y, self._event_ndims)
            total += log_det
        return y, total


class Reverse(FlowBijector):
    """`y[i] = x[H-1-i]` over events `[..., H]`: its own inverse, with log-det 0.

    Example:
      >>> from bijectors import Reverse
      >>> Reverse().forward([1.0, 2.0, 3.0]).numpy().tolist()
      [3.0, 2.0, 1.0]
    """

    def __init__(self, name: str = "reverse") -> None:
        super().__init__(
            forward_min_event_ndims=1,
            is_constant_jacobian=True,
            parameters={"name": name},
            name=name,
        )

    @classmethod
    def _parameter_properties(cls, dtype: tf.DType | None) -> dict[str, Any]:
        return {}

    def _forward_and_log_det(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.reverse(x, axis=[-1]), tf.zeros(tf.shape(x)[:-1], x.dtype)

    def _inverse_and_log_det(self, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._forward_and_log_det(y)


def with_reversals(bijectors: Sequence[tfp.bijectors.Bijector]) -> Compose:
    """Composes layers with a `Reverse` in between: each sees the reverse order of the one before.

    Source: section 3 of Ziegler & Rush (2019), "Layered flows".

    Example:
      >>> from bijectors import Affine, with_reversals
      >>> layers = [Affine(a=0.0, b=[1.0, 2.0]), Affine(a=0.0, b=[1.0, 2.0])]
      >>> flow = with_reversals(layers)  # The second layer sees [x[1], x[0]].
      >>> flow.forward([1.0, 1.0]).numpy().tolist()
      [2.0, 2.0]
    """
    members: list[tfp.bijectors.Bijector] = []
    for bijector in bijectors:
        members += [Reverse(), bijector] if members else [bijector]
    return Compose(members)
