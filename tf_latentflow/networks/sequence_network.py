"""The base class of networks over sequences, and dropout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from bijectors.axes import every
from bijectors.masks import select
from tf_latentflow.layer import Layer
from tf_latentflow.networks.positions import Positions, PositionTable
from tf_latentflow.noise import NoiseSource

__all__ = ["SequenceNetwork", "Masks", "State", "stateless_dropout"]

# How often one number decides what is dropped. It has 23 bits; a decision takes less than 1 of them
# on average.
_DECISIONS = 4

State = Any  # A nest of tensors of floats.
Masks = tuple[tf.Tensor, ...]


class SequenceNetwork(Layer):
    """A network over the steps of sequences, causal or two-sided.

    The output of a causal network at a step depends on the inputs up to that step. Calling its
    `step` for one step after the other computes the same function as a call for all steps,
    including dropout: its masks are drawn in advance, by `masks`. The output of a two-sided network
    depends on all inputs, so it has no `step`.

    Args:
      units: U, size of the output.
      dropout_sizes: The size of what is dropped, for each place where dropout is applied.
      dropout: Dropout rate.
      name: Name of the layer.

    Attributes:
      positions: Position codes, added to the projected input of each step. Set by a subclass.
      two_sided: Whether a step reads later steps as well.
      reads_mapped_steps: Whether `between` reads the inputs of mapped steps too.
    """

    positions: PositionTable
    two_sided = False
    reads_mapped_steps = True

    def __init__(
        self, units: int, dropout_sizes: Sequence[int], dropout: float, name: str | None = None
    ) -> None:
        super().__init__(name=name)
        self.units = units
        self._dropout_sizes = tuple(dropout_sizes)
        self._dropout = dropout

    @property
    def input_kernel(self) -> keras.Variable:
        """The first matrix, which has a row for each number of an input vector."""
        raise NotImplementedError

    def masks(
        self, batch_shape: tf.Tensor, num_steps: int | tf.Tensor, noise: NoiseSource | None
    ) -> Masks:
        """The dropout mask of each place, `[*batch_shape, num_steps, size]`; () without noise."""
        if noise is None or self._dropout == 0:
            return ()
        steps = tf.concat([batch_shape, [num_steps]], 0)
        dtype = tf.as_dtype(self.compute_dtype)
        keep = _keep(steps, sum(self._dropout_sizes), dtype, self._dropout, noise)
        return tuple(tf.split(keep, self._dropout_sizes, axis=-1))

    def initial_state(
        self, positions: Positions, batch_shape: tf.Tensor, num_steps: int | tf.Tensor
    ) -> State:
        """State before the first step.

        Args:
          positions: Of sequences `[B]`.
          batch_shape: int32 `[..., B]`.
          num_steps: Number of steps that will be made.
        """
        raise NotImplementedError

    def step(
        self, inputs: tf.Tensor, offset: tf.Tensor, state: State, masks: Masks = ()
    ) -> tuple[tf.Tensor, State]:
        """One step: `inputs [..., B, n]`, its position code `offset [B, m]`, to `[..., B, U]`.

        Raises:
          ValueError: The network is two-sided.
        """
        raise NotImplementedError

    def call(self, inputs: tf.Tensor, positions: Positions, masks: Masks = ()) -> tf.Tensor:
        """All steps: `inputs [..., B, T, n]` to `[..., B, T, U]`.

        It adds the position codes itself, which `step` gets as `offset`. A two-sided network reads
        nothing beyond the lengths of the positions.
        """
        raise NotImplementedError

    def between(
        self, inputs: tf.Tensor, positions: Positions, masks: Masks, first: int
    ) -> tf.Tensor:
        """The outputs of a two-sided network at the mapped steps of a coupling.

        Args:
          inputs: `[..., B, T, n]`.
          positions: Of all T steps.
          masks: Of `masks`.
          first: The first mapped step, 0 or 1. The mapped steps are first, first + 2, ...

        Returns:
          `[..., B, M, U]`, for M mapped steps.
        """
        return every(self(inputs, positions, masks), 2, first)

    def _check_goes_step_by_step(self) -> None:
        if self.two_sided:
            raise ValueError("expected a causal network to go step by step; got a two-sided one")

    def _normalisation(self, name: str) -> keras.layers.LayerNormalization:
        """Returns a layer normalisation of the output's size, with its variables."""
        part = keras.layers.LayerNormalization(epsilon=1e-5, name=name, dtype=self.dtype_policy)
        part.build((None, self.units))
        return part

    def _drop(self, values: tf.Tensor, masks: Masks, place: int) -> tf.Tensor:
        return _drop(values, masks[place], self._dropout) if masks else values


def stateless_dropout(values: tf.Tensor, rate: float, noise: NoiseSource | None) -> tf.Tensor:
    """Inverted dropout of `values [..., B, T, n]`, determined by its noise; none without noise."""
    if noise is None or rate == 0:
        return values
    keep = _keep(tf.shape(values)[:-1], values.shape[-1], values.dtype, rate, noise)
    return _drop(values, keep, rate)


def _keep(
    steps: tf.Tensor, size: int, dtype: tf.DType, rate: float, noise: NoiseSource
) -> tf.Tensor:
    """Bool `[*steps, size]`, each true with probability `1 - rate`, independently of the others.

    Drawing a number takes far longer than comparing it. Given whether `u >= rate`, one of
    `(u - rate) / (1 - rate)` and `u / rate` is uniform again: a number decides several times.
    """
    u = noise.uniform(tf.concat([steps, [-(-size // _DECISIONS)]], 0), dtype)
    decisions = [u >= rate]
    while len(decisions) < _DECISIONS:
        u = select(decisions[-1], (u - rate) / (1 - rate), u / rate)
        decisions.append(u >= rate)
    return tf.concat(decisions, axis=-1)[..., :size]


def _drop(values: tf.Tensor, keep: tf.Tensor, rate: float) -> tf.Tensor:
    return values * (tf.cast(keep, values.dtype) / (1 - rate))
