"""`HiddenBijector`, the base class of bijectors along the hidden dimension."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.axes import can_broadcast
from bijectors.base import FlowBijector
from bijectors.hidden.mlp import ConditionalMLP

__all__ = ["HiddenBijector"]


class HiddenBijector(FlowBijector):
    """Base class of bijectors over events `[..., H]` with scalar maps parametrised by a network.

    Args:
      network: Computes the unconstrained parameters `[..., dims, num_params]`.
      scalar_map: Makes a scalar bijector, from noise to latent, of these parameters.
      context: `[..., context_size]`, or None; a variable is tracked and followed.
      offset: `[..., hidden_sizes[0]]`, or None; see `ConditionalMLP.call`.
      name: Name of the bijector.

    Raises:
      ValueError: The network is that of another structure.

    Example:
      >>> import tensorflow as tf
      >>> from bijectors import HIDDEN_STRUCTURES, SCALAR_MAPS, HiddenBijector
      >>> structure, affine = HIDDEN_STRUCTURES["scf"], SCALAR_MAPS["affine"]
      >>> network = structure.network(4, affine.num_params, context_size=2)
      >>> flow = structure.bijector(network, affine.from_unconstrained, context=tf.ones([7, 2]))
      >>> isinstance(flow, HiddenBijector), flow.forward(tf.zeros([7, 4])).shape
      (True, TensorShape([7, 4]))
    """

    def __init__(
        self,
        network: ConditionalMLP,
        scalar_map: Callable[[tf.Tensor], tfp.bijectors.Bijector],
        context: tf.Tensor | None = None,
        offset: tf.Tensor | None = None,
        name: str | None = None,
    ) -> None:
        # A tf.Module does not track Keras layers. The network belongs to the layer that made it.
        self._network = network
        self._scalar_map = scalar_map
        self._check_network()
        context, offset = _tensor(context), _tensor(offset)
        self._context = context
        self._offset = offset
        name = name or type(self).__name__
        super().__init__(
            forward_min_event_ndims=1,
            dtype=tf.as_dtype(network.compute_dtype),  # TFP joins no dtypes that are strings.
            parameters={
                "network": network,
                "scalar_map": scalar_map,
                "context": context,
                "offset": offset,
                "name": name,
            },
            name=name,
        )

    @classmethod
    def _parameter_properties(cls, dtype: tf.DType | None) -> dict[str, Any]:
        # The batch shape and slices are determined by the context and the offset.
        vector = tfp.util.ParameterProperties(event_ndims=1)
        return {"context": vector, "offset": vector}

    @property
    def _event_size(self) -> int:
        return self._network.input_size + self._network.output_size

    def _check_network(self) -> None:
        """Raises ValueError if a structure cannot use the network; a subclass may accept any."""

    def _expect_network(self, fits: bool, structure: str) -> None:
        if not fits:
            network = self._network
            raise ValueError(
                f"expected a network of HIDDEN_STRUCTURES[{structure!r}] for "
                f"{type(self).__name__}; got a {type(network).__name__} with "
                f"{network.input_size} inputs and {network.output_size} outputs"
            )

    def _cast(self, values: Any) -> tf.Tensor:
        """See `FlowBijector`; also checks the shape.

        Raises:
          ValueError: The last dimension is not H, or the batch does not fit the context.
        """
        values = super()._cast(values)
        if values.shape.rank is None or values.shape[-1:] not in ([self._event_size], [None]):
            raise ValueError(
                f"expected values [..., {self._event_size}] for {self.name}; got shape "
                f"{values.shape}"
            )
        for what, other in (("context", self._context), ("offset", self._offset)):
            if other is not None and not can_broadcast(values.shape[:-1], other.shape[:-1]):
                raise ValueError(
                    f"expected values and {what} of batch shapes that broadcast for {self.name}; "
                    f"got shapes {values.shape} and {other.shape}"
                )
        return values

    def _in_batch(self, values: tf.Tensor) -> tf.Tensor:
        """Broadcasts `values` to the batch shape of the context and the offset.

        Sizes that are unknown while the graph is built are assumed to match.
        """
        for other in (self._context, self._offset):
            if other is not None:
                values = _repeat_along(values, tf.convert_to_tensor(other))
        return values

    def _scalar(self, inputs: tf.Tensor | None) -> tfp.bijectors.Bijector:
        return self._scalar_map(self._network(inputs, self._context, self._offset))


def _tensor(values: Any) -> Any:
    """Converts lists, numbers and arrays to tensors; None, tensors and variables stay unchanged."""
    values = values.value if isinstance(values, keras.Variable) else values
    is_kept = values is None or tf.is_tensor(values) or isinstance(values, tfp.util.DeferredTensor)
    return values if is_kept else tf.convert_to_tensor(values)


def _repeat_along(values: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    ours, theirs = values.shape[:-1], other.shape[:-1]
    if ours.rank is None or theirs.rank is None:
        return values
    aligned = zip(reversed(ours.as_list()), reversed(theirs.as_list()), strict=False)
    if theirs.rank <= ours.rank and not any(a == 1 and b != 1 for a, b in aligned):
        return values
    batch = tf.broadcast_dynamic_shape(tf.shape(values)[:-1], tf.shape(other)[:-1])
    repeated = tf.broadcast_to(values, tf.concat([batch, tf.shape(values)[-1:]], 0))
    static = tf.broadcast_static_shape(ours, theirs)
    return tf.ensure_shape(repeated, static.concatenate(values.shape[-1:]))
