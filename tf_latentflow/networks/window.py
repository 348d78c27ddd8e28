"""A network over the nearest steps alone, causal or two-sided."""

from __future__ import annotations

import keras
import tensorflow as tf

from bijectors.axes import every, later, size_of_axis
from bijectors.masks import mask_steps
from tf_latentflow.networks.positions import Positions, PositionTable
from tf_latentflow.networks.sequence_network import Masks, SequenceNetwork

__all__ = ["NUM_HIDDEN", "Window"]

NUM_HIDDEN = 1024
"""Size of h, which has to tell the surroundings of a step apart, whatever the number of units."""


class Window(SequenceNetwork):
    """Two hidden layers over the vectors of the nearest steps, 0 where there is no step.

        e[s] = W x[s] + w,  of size U / 2
        h[t] = relu(V_1 r[t] + b_1),  of size 1024
        output[t] = norm(relu(V_2 h[t] + b_2 + position code))
        r[t] = [e[t - K + 1], ..., e[t - 1], e[t]]                            (causal)
        r[t] = [e[t - 2K + 1], ..., e[t - 3], e[t - 1], e[t + 1], e[t + 3], ..., e[t + 2K - 1]]

    The two-sided form reads the steps at odd distances: the K kept ones on either side of a mapped
    step of a coupling (Bengio et al., "A neural probabilistic language model", 2003).

    Args:
      input_size: Size of an input vector.
      units: U.
      num_steps: K.
      max_length: Rows of the position table.
      dropout: Rate on h and on the output.
      two_sided: Whether a step reads later steps as well.
      name: Name of the layer.
    """

    reads_mapped_steps = False

    def __init__(
        self,
        input_size: int,
        units: int,
        num_steps: int,
        max_length: int,
        dropout: float = 0.0,
        two_sided: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(units, (NUM_HIDDEN, units), dropout, name=name)
        self.two_sided = two_sided
        self.num_steps = num_steps
        self._size = max(units // 2, 1)
        self.positions = PositionTable(units, max_length, name="positions")
        self.embedding = self._dense(input_size, self._size, "embedding")
        num_read = 2 * num_steps if two_sided else num_steps
        self.hidden = self._dense(num_read * self._size, NUM_HIDDEN, "hidden")
        self.outputs = self._dense(NUM_HIDDEN, units, "outputs")
        self.norm = self._normalisation("norm")
        self.built = True

    @property
    def input_kernel(self) -> keras.Variable:
        return self.embedding.kernel

    def initial_state(
        self, positions: Positions, batch_shape: tf.Tensor, num_steps: int | tf.Tensor
    ) -> tf.Tensor:
        """The embedded vectors of the last K - 1 steps: zeros `[..., K - 1, U / 2]`."""
        shape = tf.concat([batch_shape, [self.num_steps - 1, self._size]], 0)
        return tf.zeros(shape, self.compute_dtype)

    def step(
        self, inputs: tf.Tensor, offset: tf.Tensor, state: tf.Tensor, masks: Masks = ()
    ) -> tuple[tf.Tensor, tf.Tensor]:
        self._check_goes_step_by_step()
        read = tf.concat([state, self._apply(self.embedding, inputs)[..., None, :]], axis=-2)
        joined = tf.concat(tf.unstack(read, self.num_steps, axis=-2), axis=-1)
        return self._from_read(joined, offset, masks), read[..., 1:, :]

    def call(self, inputs: tf.Tensor, positions: Positions, masks: Masks = ()) -> tf.Tensor:
        embedded = self._embed(inputs, positions.lengths)
        distances = range(self.num_steps - 1, -1, -1)
        if self.two_sided:
            distances = range(2 * self.num_steps - 1, -2 * self.num_steps, -2)
        read = tf.concat([later(embedded, distance) for distance in distances], axis=-1)
        return self._from_read(read, self.positions(positions), masks)

    def between(
        self, inputs: tf.Tensor, positions: Positions, masks: Masks, first: int
    ) -> tf.Tensor:
        """See `SequenceNetwork.between`; nothing is computed at kept steps."""
        count = (size_of_axis(inputs, -2) + 1 - first) // 2
        kept = every(self._embed(inputs, positions.lengths), 2, 1 - first)
        # Mapped step 0 is before the first kept step, and mapped step 1 behind it.
        distances = range(self.num_steps - first, -self.num_steps - first, -1)
        read = tf.concat([later(kept, distance, count) for distance in distances], axis=-1)
        masks = tuple(every(mask, 2, first) for mask in masks)
        return self._from_read(read, every(self.positions(positions), 2, first), masks)

    def _embed(self, inputs: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        embedded = self._apply(self.embedding, inputs)
        return mask_steps(embedded, lengths) if self.two_sided else embedded

    def _from_read(self, read: tf.Tensor, offset: tf.Tensor, masks: Masks) -> tf.Tensor:
        h = self._drop(tf.nn.relu(self._apply(self.hidden, read)), masks, 0)
        outputs = self.norm(tf.nn.relu(self._apply(self.outputs, h) + offset))
        return self._drop(outputs, masks, 1)
