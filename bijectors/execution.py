"""How networks are computed: settings that change the cost of a result, but not its formula."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

__all__ = ["Execution", "ExecutionOwner"]


@dataclasses.dataclass(frozen=True)
class Execution:
    """How loops and matrix products are computed.

    Attributes:
      compile_loops: Compile serial loops with XLA, once for each shape. A step of a compiled loop
        costs little more than its matrix products. The graph then only runs where XLA is available.
      products: The dtype in which matrix products are computed, "bfloat16" or "float16"; None for
        that of their operands. Operands and results are rounded to it. Everything else keeps its
        dtype, and so do the small products of a serial direction: it inverts the other direction up
        to this rounding. On processors that support bfloat16, such products cost half as much or
        less.
      sweep_dimensions: Solve serial dimensions (AF in hidden) by sweeps over all of them, as
        `FixedPointHidden` does. Where loops are not compiled, this is many times faster. It is not
        differentiable.

    Raises:
      ValueError: `products` is another dtype.

    Example:
      >>> from bijectors import Execution
      >>> Execution(products="bfloat16").operand([1.0, 1.001]).numpy().tolist()
      [1.0, 1.0]
    """

    compile_loops: bool = False
    products: str | None = None
    sweep_dimensions: bool = False

    def __post_init__(self) -> None:
        if self.products not in (None, "bfloat16", "float16"):
            raise ValueError(
                f"expected products to be bfloat16, float16 or None; got {self.products!r}"
            )

    def operand(self, values: tf.Tensor) -> tf.Tensor:
        """Casts `values` for products: once, before a loop that multiplies them at every step."""
        values = tf.convert_to_tensor(values)
        return values if self.products is None else tf.cast(values, self.products)

    def product(self, values: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
        """`values [..., n]` times `matrix [n, m]`: `[..., m]` in the dtype of `values`.

        It does without `tf.tensordot`, which needs a dozen small operations to reshape a batch of
        unknown size. In a loop that is not compiled, they cost more than the product itself.
        """
        values = tf.convert_to_tensor(values)
        left, right = self.operand(values), self.operand(matrix)
        if values.shape.rank == 2:
            return tf.cast(tf.matmul(left, right), values.dtype)
        rows = tf.matmul(tf.reshape(left, [-1, right.shape[0]]), right)
        shape = tf.concat([tf.shape(values)[:-1], right.shape[1:]], axis=0)
        result = tf.ensure_shape(tf.reshape(rows, shape), values.shape[:-1] + right.shape[1:])
        return tf.cast(result, values.dtype)


class ExecutionOwner:
    """Mixin for a layer or model whose `execution` can be changed at any time.

    Attributes:
      execution: How it is computed. Setting it also sets that of all its parts. A `tf.function`
        that has already been traced keeps the old one.

    Example:
      >>> from bijectors import ConditionalMLP, Execution, ExecutionOwner
      >>> network = ConditionalMLP(input_size=2, output_size=2, num_params=1)
      >>> isinstance(network, ExecutionOwner), network.execution.products
      (True, None)
      >>> with network.executing(products="bfloat16"):
      ...     network.execution.products
      'bfloat16'
      >>> network.execution = Execution(products="bfloat16")
    """

    _execution = Execution()

    @property
    def execution(self) -> Execution:
        return self._execution

    @execution.setter
    def execution(self, execution: Execution) -> None:
        self._execution = execution
        for part in _parts(self):
            part.execution = execution

    @contextlib.contextmanager
    def executing(self, **changes: Any) -> Iterator[None]:
        """Changes fields of `execution` for as long as the context lasts."""
        before = self.execution
        self.execution = dataclasses.replace(before, **changes)
        try:
            yield
        finally:
            self.execution = before


def _parts(owner: Any) -> Iterator[ExecutionOwner]:
    """The attributes of an object, and the items of its lists, that have an execution too."""
    for value in vars(owner).values():
        for item in value if isinstance(value, list | tuple) else [value]:
            if isinstance(item, ExecutionOwner):
                yield item
