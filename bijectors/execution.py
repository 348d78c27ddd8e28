"""How networks are computed: settings that change the cost of a result, but not its formula."""

from __future__ import annotations

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
      products: Name of the dtype to which the operands of products are rounded, such as "bfloat16";
        None for no rounding. Sums and results keep the dtype of the operands. On processors that
        support bfloat16, such products cost half as much or less.

    Example:
      >>> from bijectors import Execution
      >>> Execution(products="bfloat16").operand([1.0, 1.001]).numpy().tolist()
      [1.0, 1.0]
    """

    compile_loops: bool = False
    products: str | None = None

    def operand(self, values: tf.Tensor) -> tf.Tensor:
        """Casts `values` for products: once, before a loop that multiplies them at every step."""
        values = tf.convert_to_tensor(values)
        return values if self.products is None else tf.cast(values, self.products)

    def product(self, values: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
        """`values [..., n]` times `matrix [n, m]`: `[..., m]` in the dtype of `values`.

        A matrix is multiplied without `tf.tensordot`, which needs a dozen small operations to
        reshape a batch of unknown size. In a loop that is not compiled, they cost more than the
        product itself.
        """
        values = tf.convert_to_tensor(values)
        left, right = self.operand(values), self.operand(matrix)
        rank = values.shape.rank
        result = tf.matmul(left, right) if rank == 2 else tf.tensordot(left, right, 1)
        return tf.cast(result, values.dtype)


class ExecutionOwner:
    """Mixin for a layer or model whose `execution` can be changed at any time.

    Attributes:
      execution: How it is computed. Setting it also sets that of all its parts. A `tf.function`
        that has already been traced keeps the old one.

    Example:
      >>> from bijectors import ConditionalMLP, Execution, ExecutionOwner
      >>> network = ConditionalMLP(input_size=2, output_size=2, num_params=1)
      >>> isinstance(network, ExecutionOwner), network.execution
      (True, Execution(compile_loops=False, products=None))
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


def _parts(owner: Any) -> Iterator[ExecutionOwner]:
    """The attributes of an object, and the items of its lists, that have an execution too."""
    for value in vars(owner).values():
        for item in value if isinstance(value, list | tuple) else [value]:
            if isinstance(item, ExecutionOwner):
                yield item
