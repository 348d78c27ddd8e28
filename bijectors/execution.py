"""How networks are computed: what changes the cost of a result, and never its formula."""

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
      compile_loops: Serial loops are compiled by XLA, for each shape anew. A step of such a loop
        costs its products and little else. The graph then runs only where XLA does.
      products: Name of the dtype that the operands of products are rounded to, such as "bfloat16";
        None for no rounding. Sums are kept, and results are given, in the dtype of what is
        multiplied. Products in bfloat16 cost half or less where the processor has them.
    """

    compile_loops: bool = False
    products: str | None = None

    def operand(self, values: tf.Tensor) -> tf.Tensor:
        """`values` as products take them: cast once what is multiplied at every step of a loop."""
        values = tf.convert_to_tensor(values)
        return values if self.products is None else tf.cast(values, self.products)

    def product(self, values: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
        """`values [..., n]` times `matrix [n, m]`: `[..., m]`, of the dtype of `values`.

        Where the batch is unknown, `tf.tensordot` reshapes by a dozen small operations: at one step
        of a loop that runs without a compiler they cost more than the product.
        """
        values = tf.convert_to_tensor(values)
        left, right = self.operand(values), self.operand(matrix)
        rank = values.shape.rank
        result = tf.matmul(left, right) if rank == 2 else tf.tensordot(left, right, 1)
        return tf.cast(result, values.dtype)


class ExecutionOwner:
    """A layer or model that is computed in a way which can be chosen anew: a mixin.

    Attributes:
      execution: How it is computed. Setting it sets that of all its parts. A `tf.function` keeps
        the way that it was traced in.
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
    """What an object holds, alone or in lists, that has an execution too."""
    for value in vars(owner).values():
        for item in value if isinstance(value, list | tuple) else [value]:
            if isinstance(item, ExecutionOwner):
                yield item
