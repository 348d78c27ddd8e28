"""MADE with a context: the network of an autoregressive bijector, and incremental sampling."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bijectors.axes import move_axis
from bijectors.hidden.mlp import ConditionalMLP, readable
from bijectors.loops import scan

__all__ = ["ConditionalMADE"]


@keras.saving.register_keras_serializable("bijectors")
class ConditionalMADE(ConditionalMLP):
    """MADE (Germain et al., 2015): `params[..., i, :]` depends on `x[..., :i]` and the context.

    Hidden units have degrees 0 .. H-1 in ascending order, distributed as evenly as possible. A unit
    of degree `d` sees `x[:d]`, and output `i` sees units of degree at most `i`. Degree 0 exists so
    that the first dimension also depends on the context through a nonlinear layer.

    Args:
      event_size: H, the number of inputs and of outputs.
      num_params: See `ConditionalMLP`.
      context_size: See `ConditionalMLP`.
      hidden_sizes: See `ConditionalMLP`.
      **kwargs: See `ConditionalMLP`: `output_scale`, `hidden_init`, `output_init`, `name`, `dtype`,
        `trainable`.

    Raises:
      ValueError: A hidden layer has fewer units than the event has dimensions.

    Example:
      >>> import tensorflow as tf
      >>> from bijectors import ConditionalMADE
      >>> made = ConditionalMADE(event_size=3, num_params=2, context_size=4, hidden_sizes=(8, 8))
      >>> context = tf.ones([1, 4])
      >>> params = made(tf.constant([[1.0, 2.0, 3.0]]), context)  # [1, 3, 2]
      >>> others = made(tf.constant([[1.0, 9.0, 9.0]]), context)
      >>> bool(tf.reduce_all(params[:, :2] == others[:, :2]))  # The first two read x[0] alone.
      True
    """

    def __init__(
        self,
        event_size: int,
        num_params: int,
        context_size: int = 0,
        hidden_sizes: Sequence[int] = (100, 100),
        **kwargs: Any,
    ) -> None:
        if min(hidden_sizes, default=event_size) < event_size:
            raise ValueError(
                f"expected hidden sizes of at least the event size {event_size}; "
                f"got {tuple(hidden_sizes)}"
            )
        super().__init__(event_size, event_size, num_params, context_size, hidden_sizes, **kwargs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config["event_size"] = config.pop("output_size")
        del config["input_size"]
        return config

    @property
    def event_size(self) -> int:
        """H, the number of dimensions."""
        return self.output_size

    def _make_masks(self) -> list[np.ndarray]:
        hidden = [_degrees(size, self.event_size) for size in self.hidden_sizes]
        inputs = np.arange(1, self.event_size + 1)  # Degrees above i see x[i].
        outputs = np.repeat(np.arange(self.event_size), self.num_params)
        degrees = [inputs, *hidden, outputs]
        return [
            (below[:, None] <= above[None, :]).astype(float)
            for below, above in itertools.pairwise(degrees)
        ]

    def solve(
        self,
        solve_dimension: Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]],
        targets: tf.Tensor,
        context: tf.Tensor | None = None,
        offset: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Finds the `x` with `x[i], w[i] = solve_dimension(targets[i], params[i](x[:i]))`.

        Goes through the dimensions once. As soon as `x[i-1]` is known, its row of the first kernel
        is added to the pre-activations of the first layer, and only the units of degree `i` are
        computed and passed on. All H dimensions together thus cost one dense pass instead of H.

        Args:
          solve_dimension: Maps targets `[...]` and parameters `[..., num_params]` to a pair
            `x[i], w[i]`, both `[...]`.
          targets: `[..., H]`.
          context: See `call`.
          offset: See `call`.

        Returns:
          `x` and `w`, both `[..., H]`.
        """
        size, num_layers = self.event_size, len(self.hidden_sizes)
        batch = tf.shape(targets)[:-1]
        first, last = self._from_context(context, offset)
        layouts = [_Blocks(_degrees(n, size), size) for n in self.hidden_sizes]
        # Pre-activations of every layer as [..., H, units per degree]: each step is a slice.
        start = [layouts[0].columns(first)]
        start += [layouts[k].columns(self.biases[k]) for k in range(1, num_layers)]
        start += [self._split(last)]
        start = [tf.broadcast_to(a, tf.concat([batch, tf.shape(a)[-2:]], 0)) for a in start]
        rows = [layouts[0].columns(self._kernel(0))]
        rows += [
            layouts[k].columns(layouts[k - 1].rows(self._kernel(k))) for k in range(1, num_layers)
        ]
        rows += [self._split(layouts[-1].rows(self._kernel(num_layers)))]

        def step(
            state: list[tf.Tensor], inputs: tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]
        ) -> tuple[list[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
            i, target, (first_row, *blocks) = inputs
            state = list(state)
            for k, block in enumerate(blocks):  # The units of degree i.
                units = tf.nn.relu(tf.gather(state[k], i, axis=-2))
                state[k + 1] += tf.tensordot(units, block, 1)
            x, w = solve_dimension(target, tf.gather(state[-1], i, axis=-2))
            state[0] += readable(x)[..., None, None] * first_row
            return state, (x, w)

        spec = tf.TensorSpec(targets.shape[:-1], targets.dtype)
        inputs = (tf.range(size), move_axis(targets, -1, 0), rows)
        _, (x, w) = scan(step, start, inputs, (spec, spec))
        return move_axis(x, 0, -1), move_axis(w, 0, -1)


class _Blocks:
    """Units sorted by degree, laid out as `[num_degrees, widest]` with gaps filled with zeros."""

    def __init__(self, degrees: np.ndarray, num_degrees: int) -> None:
        counts = np.bincount(degrees, minlength=num_degrees)
        self._index = np.full((num_degrees, int(np.max(counts))), len(degrees))  # The zero.
        for degree in range(num_degrees):
            self._index[degree, : counts[degree]] = np.flatnonzero(degrees == degree)

    def columns(self, values: tf.Tensor) -> tf.Tensor:
        """`[..., units]` to `[..., num_degrees, widest]`."""
        return tf.gather(_append_zero(values, -1), self._index, axis=-1)

    def rows(self, kernel: tf.Tensor) -> tf.Tensor:
        """`[units, n]` to `[num_degrees, widest, n]`."""
        return tf.gather(_append_zero(kernel, 0), self._index, axis=0)


def _append_zero(values: tf.Tensor, axis: int) -> tf.Tensor:
    values = tf.convert_to_tensor(values)
    paddings = np.zeros((len(values.shape), 2), int)
    paddings[axis, 1] = 1
    return tf.pad(values, paddings)


def _degrees(num_units: int, num_degrees: int) -> np.ndarray:
    return np.arange(num_units) * num_degrees // num_units
