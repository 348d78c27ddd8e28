"""What stacks of residual layers over time share."""

from __future__ import annotations

import keras
import tensorflow as tf

from tf_latentflow.networks.positions import PositionTable
from tf_latentflow.networks.sequence_network import Masks, SequenceNetwork

__all__ = ["ResidualStack"]


class ResidualStack(SequenceNetwork):
    """`h = W x + position code`, then residual layers, of a subclass, and `norm(h)` at the end.

    Args:
      input_size: Size of an input vector.
      units: U.
      num_layers: K.
      max_length: Rows of the position table.
      dropout: Rate on the hidden layer of each layer and on the output.
      two_sided: Whether a step reads later steps as well.
      name: Name of the layer.
    """

    norms_per_layer: int
    """Normalisations of a layer. A subclass says how many."""

    def __init__(
        self,
        input_size: int,
        units: int,
        num_layers: int,
        max_length: int,
        dropout: float = 0.0,
        two_sided: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(units, [units] * (num_layers + 1), dropout, name=name)
        self.two_sided = two_sided
        self.num_layers = num_layers
        self.positions = PositionTable(units, max_length, name="positions")
        self.input_layer = self._dense(input_size, units, "input")
        num_norms = self.norms_per_layer * num_layers + 1
        self.norms = [self._normalisation(f"norm_{k}") for k in range(num_norms)]
        self._make_layers()
        self.built = True

    @property
    def input_kernel(self) -> keras.Variable:
        return self.input_layer.kernel

    def _make_layers(self) -> None:
        """Makes the other parts of all layers."""
        raise NotImplementedError

    def _first(self, inputs: tf.Tensor, offset: tf.Tensor) -> tf.Tensor:
        return self._apply(self.input_layer, inputs) + offset

    def _last(self, h: tf.Tensor, masks: Masks) -> tf.Tensor:
        return self._drop(self.norms[-1](h), masks, self.num_layers)
