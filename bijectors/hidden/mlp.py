"""The network of a flow layer: parameters for every dimension from inputs and a context."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bijectors.checkpoints import SavesLists
from bijectors.execution import ExecutionOwner
from bijectors.masks import bounded, zero_unless

__all__ = ["ConditionalMLP", "readable"]

# The largest input that a network reads. Latents of trained flows are of the order of 1. Beyond
# this limit, the noise would be lost in a float32 sum with the terms of inputs and context.
_LARGEST_INPUT = 1e4


@keras.saving.register_keras_serializable("bijectors")
class ConditionalMLP(SavesLists, ExecutionOwner, keras.layers.Layer):
    """`params = output_scale * MLP([x, context])`: parameters for every output dimension.

        h[1] = relu(x W[1] + context C + offset + b[1]),  h[k] = relu(h[k-1] W[k] + b[k])
        params[i] = output_scale * (h[K] W[K+1] + context D + b[K+1])[i]

    The direct path `context D` matters most for dimensions that depend on few hidden units, such
    as the first ones of a MADE. With neither inputs nor a context, the parameters are constants.

    Inputs are clipped to -1e4 .. 1e4, and NaN is replaced by 0, because non-finite values would
    pass through the zeros in the masks of a MADE.

    Args:
      input_size: Number of inputs; 0 if the parameters depend on the context only.
      output_size: Number of dimensions that get parameters.
      num_params: Number of parameters per dimension.
      context_size: Size of the context; 0 for none.
      hidden_sizes: Units of each hidden layer; at least one layer.
      output_scale: Factors `[num_params]` on the raw outputs; 1 by default.
      hidden_init: Input and hidden kernels are initialised uniformly in `-hidden_init ..
        hidden_init`; Glorot's uniform initialisation by default.
      output_init: The same for the output kernels. With small values a flow starts close to the
        identity.
      name: Name of the layer.
      dtype: Dtype of the variables; `keras.config.floatx()` by default.
      trainable: Whether the variables are trained.

    Raises:
      ValueError: A size is not positive, there is no hidden layer, `output_scale` is not
        `[num_params]`, or the dtype is a policy of mixed precision.

    Example:
      >>> import tensorflow as tf
      >>> from bijectors import ConditionalMLP
      >>> network = ConditionalMLP(input_size=2, output_size=3, num_params=5, context_size=4)
      >>> network(tf.ones([7, 2]), tf.ones([7, 4])).shape
      TensorShape([7, 3, 5])
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        num_params: int,
        context_size: int = 0,
        hidden_sizes: Sequence[int] = (100, 100),
        *,
        output_scale: Sequence[float] | None = None,
        hidden_init: float | None = None,
        output_init: float = 0.07,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ) -> None:
        # Without a dtype, Keras would use the first dtype policy of the process.
        super().__init__(name=name, dtype=dtype or keras.config.floatx(), trainable=trainable)
        if self.compute_dtype != self.variable_dtype:
            raise ValueError(
                f"expected one dtype; got the policy {self.dtype_policy.name}: for cheaper "
                "products, set the execution to Execution(products='bfloat16')"
            )
        positive = min(output_size, num_params, *hidden_sizes, len(hidden_sizes)) >= 1
        if min(input_size, context_size) < 0 or not positive:
            raise ValueError(
                "expected positive sizes and at least one hidden layer; got "
                f"input_size={input_size}, output_size={output_size}, num_params={num_params}, "
                f"context_size={context_size}, hidden_sizes={tuple(hidden_sizes)}"
            )
        self.input_size = input_size
        self.output_size = output_size
        self.num_params = num_params
        self.context_size = context_size
        self.hidden_sizes = tuple(hidden_sizes)
        scale = np.ones(num_params) if output_scale is None else np.asarray(output_scale, float)
        if scale.shape != (num_params,):
            raise ValueError(f"expected {num_params} output scales; got shape {scale.shape}")
        self.output_scale = scale
        self._hidden_init = hidden_init
        self._output_init = output_init
        self._masks = self._make_masks()
        self.build()

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "input_size": self.input_size,
            "output_size": self.output_size,
            "num_params": self.num_params,
            "context_size": self.context_size,
            "hidden_sizes": list(self.hidden_sizes),
            "output_scale": self.output_scale.tolist(),
            "hidden_init": self._hidden_init,
            "output_init": self._output_init,
        }

    def _make_masks(self) -> list[np.ndarray | None]:
        """One 0/1 mask per kernel, or None for a full kernel."""
        return [None] * (len(self.hidden_sizes) + 1)

    def build(self, input_shape: Any = None) -> None:
        outputs = self.output_size * self.num_params
        sizes = (self.input_size, *self.hidden_sizes, outputs)
        self.kernels, self.biases = [], []
        for k, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
            init = _uniform(self._output_init if k == len(self.hidden_sizes) else self._hidden_init)
            shape, name = (fan_in, fan_out), f"kernel_{k}"
            self.kernels.append(self.add_weight(shape, init, name=name) if fan_in else None)
            self.biases.append(self.add_weight((fan_out,), "zeros", name=f"bias_{k}"))
        if self.context_size:
            shape = (self.context_size, self.hidden_sizes[0])
            self.context_kernel = self.add_weight(shape, "glorot_uniform", name="context_kernel")
            self.context_output_kernel = self.add_weight(
                (self.context_size, outputs),
                _uniform(self._output_init / np.sqrt(self.context_size)),
                name="context_output_kernel",
            )
        self.built = True

    def _kernel(self, k: int) -> tf.Tensor:
        """Kernel k with its mask; the last one is scaled."""
        kernel = tf.convert_to_tensor(self.kernels[k])
        mask = self._masks[k]
        kernel = kernel if mask is None else kernel * tf.constant(mask, kernel.dtype)
        return self._scaled(kernel) if k == len(self.hidden_sizes) else kernel

    def _scaled(self, values: tf.Tensor) -> tf.Tensor:
        """`output_scale * values`, for values `[..., output_size * num_params]` of the weights.

        They are smaller than the outputs.
        """
        values = tf.convert_to_tensor(values)
        return values * tf.constant(np.tile(self.output_scale, self.output_size), values.dtype)

    def _from_context(
        self, context: tf.Tensor | None, offset: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The terms of biases, context and offset in the first hidden and the scaled outputs."""
        if (context is not None) != bool(self.context_size):
            raise ValueError(
                f"expected a context of size {self.context_size}; got "
                f"{'none' if context is None else context.shape}"
            )
        context = self._of_size(context, "a context", self.context_size)
        offset = self._of_size(offset, "an offset", self.hidden_sizes[0])
        first = tf.convert_to_tensor(self.biases[0])
        last = self._scaled(self.biases[-1])
        if context is not None:
            first += self.execution.product(context, self.context_kernel)
            last += self.execution.product(context, self._scaled(self.context_output_kernel))
        if offset is not None:
            first += offset
        return first, last

    def call(
        self,
        inputs: tf.Tensor | None = None,
        context: tf.Tensor | None = None,
        offset: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Computes all parameters in one pass.

        Args:
          inputs: `[..., input_size]`; None if `input_size` is 0.
          context: `[..., context_size]`; None if `context_size` is 0.
          offset: `[..., hidden_sizes[0]]`, added to the pre-activations of the first layer. Rows of
            a look-up table have the effect of a one-hot context at the cost of an addition.

        Returns:
          Unconstrained parameters `[..., output_size, num_params]`.
        """
        return self.given(context, offset)(inputs)

    def given(
        self, context: tf.Tensor | None = None, offset: tf.Tensor | None = None
    ) -> Callable[[tf.Tensor | None], tf.Tensor]:
        """Returns `call` as a function of the inputs; the context terms are computed only once."""
        first, last = self._from_context(context, offset)
        kernels = [
            self._kernel(k) if k or self.input_size else None for k in range(len(self.kernels))
        ]

        def params(inputs: tf.Tensor | None) -> tf.Tensor:
            hidden = first
            if self.input_size:
                inputs = self._of_size(inputs, "inputs", self.input_size)
                hidden = first + self.execution.product(readable(inputs), kernels[0])
            for kernel, bias in zip(kernels[1:-1], self.biases[1:-1], strict=True):
                hidden = self.execution.product(tf.nn.relu(hidden), kernel) + bias
            return self._split(self.execution.product(tf.nn.relu(hidden), kernels[-1]) + last)

        return params

    def _of_size(self, values: Any, what: str, size: int) -> tf.Tensor | None:
        """Converts `values` to the dtype of the layer; None stays None.

        Raises:
          ValueError: The last dimension is not `size`.
        """
        if values is None:
            return None
        values = tf.cast(values, self.compute_dtype)
        if values.shape.rank is not None and values.shape[-1:] not in ([size], [None]):
            raise ValueError(f"expected {what} [..., {size}]; got shape {values.shape}")
        return values

    def _split(self, outputs: tf.Tensor) -> tf.Tensor:
        """Reshapes `[..., output_size * num_params]` to `[..., output_size, num_params]`."""
        batch = tf.shape(outputs)[:-1]
        shape = tf.concat([batch, [self.output_size, self.num_params]], 0)
        params = tf.reshape(outputs, shape)
        params.set_shape([*outputs.shape[:-1], self.output_size, self.num_params])
        return params


def readable(inputs: tf.Tensor) -> tf.Tensor:
    """Makes `inputs` finite: NaN becomes 0, everything is clipped to -1e4 .. 1e4."""
    return bounded(zero_unless(~tf.math.is_nan(inputs), inputs), _LARGEST_INPUT)


def _uniform(half_width: float | None) -> keras.initializers.Initializer:
    """A new initialiser for each weight, since one gives the same values at every call."""
    if half_width is None:
        return keras.initializers.GlorotUniform()
    return keras.initializers.RandomUniform(-half_width, half_width)
