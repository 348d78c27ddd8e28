"""What callers give to a model, converted to tensors, checked and padded."""

from __future__ import annotations

import operator
import reprlib
from typing import Any

import numpy as np
import tensorflow as tf

from bijectors.axes import can_broadcast, size_of_axis
from tf_latentflow.config import MAX_TEMPERATURE

__all__ = [
    "as_batch",
    "as_count",
    "as_int32",
    "as_lengths",
    "as_row_lengths",
    "as_temperature",
    "as_vectors",
    "longest",
    "pad_steps",
    "require",
    "rounded_steps",
]


def _as_numbers(values: Any) -> tf.Tensor:
    """Converts `values` to a tensor.

    Raises:
      ValueError: They are not numbers, or no array: None, rows of different lengths.
    """
    try:
        numbers = tf.convert_to_tensor(values)
    except (TypeError, ValueError):
        raise ValueError(
            "expected an array of numbers, whose rows are padded to one length; got "
            f"{reprlib.repr(values)}"
        ) from None
    if not (numbers.dtype.is_floating or numbers.dtype.is_integer):
        raise ValueError(f"expected numbers; got {numbers.dtype.name}")
    return numbers


def as_int32(values: Any) -> tf.Tensor:
    """Converts `values` to an int32 tensor.

    Raises:
      ValueError: They are not whole numbers, or a known one has more than 32 bits.
    """
    values = _as_numbers(values)
    known = tf.get_static_value(values)
    if values.dtype.is_floating and (known is None or not (known == np.floor(known)).all()):
        raise ValueError(f"expected whole numbers; got {values.dtype.name}: cast them to int32")
    if known is not None and known.size and not -(2**31) <= known.min() <= known.max() < 2**31:
        raise ValueError(f"expected int32 numbers; got {known.min()} to {known.max()}")
    return tf.cast(values, tf.int32)


def as_batch(x: Any, lengths: Any, event_shape: tuple[int, ...]) -> tuple[tf.Tensor, tf.Tensor]:
    """Converts a batch of sequences `x [B, T, *event_shape]` and its lengths to int32 tensors.

    Raises:
      ValueError: They are not of whole numbers, have other shapes, or a known length is above T.
      tf.errors.InvalidArgumentError: A length in a running graph is.
    """
    x = _as_numbers(x)
    if not x.dtype.is_integer:
        raise ValueError(f"expected x of integers; got {x.dtype.name}: cast it to int32")
    x, lengths = as_int32(x), as_int32(lengths)
    expected = tf.TensorShape([*lengths.shape, None, *event_shape])
    if lengths.shape.rank != 1 or not x.shape.is_compatible_with(expected):
        dims = ", ".join(["B", "T", *map(str, event_shape)])
        raise ValueError(f"expected x [{dims}] and lengths [B]; got {x.shape} and {lengths.shape}")
    if x.shape[1:2].num_elements() == 0:
        raise ValueError(f"expected x of at least one step; got {x.shape} and {lengths.shape}")
    return x, as_lengths(lengths, size_of_axis(x, 1))


def as_vectors(values: Any, lengths: Any, size: int, dtype: str) -> tuple[tf.Tensor, tf.Tensor]:
    """Converts vectors `[..., B, T, size]` to `dtype`, and the lengths of their rows to int32.

    Raises:
      ValueError: They are not numbers, or have other shapes.
    """
    values, lengths = tf.cast(_as_numbers(values), dtype), as_row_lengths(lengths)
    is_size = values.shape[-1:].is_compatible_with([size])
    if not (is_size and can_broadcast(values.shape[:-2], lengths.shape)):
        raise ValueError(
            f"expected vectors [..., B, T, {size}] and lengths [B]; got {values.shape} and "
            f"{lengths.shape}"
        )
    return values, lengths


def as_temperature(temperature: Any, dtype: str, lengths: tf.Tensor) -> tf.Tensor:
    """Converts a temperature to a tensor of `dtype`: `[]`, or `[B, 1, 1]` for one per sequence.

    The lengths `[B]` are those of the sequences.

    Raises:
      ValueError: It has another shape, or is known not to be from 0 to `MAX_TEMPERATURE`.
    """
    temperature = tf.cast(_as_numbers(temperature), dtype)
    shapes: list[Any] = [[], [1, 1, 1], [*lengths.shape, 1, 1]]
    if not any(temperature.shape.is_compatible_with(shape) for shape in shapes):
        raise ValueError(
            f"expected a temperature [] or [B, 1, 1]; got shape {temperature.shape} for lengths "
            f"{lengths.shape}"
        )
    known = tf.get_static_value(temperature)
    if known is not None and not np.all((known >= 0) & (known <= MAX_TEMPERATURE)):
        got = known.reshape(-1).tolist()
        raise ValueError(f"expected a temperature from 0 to {MAX_TEMPERATURE:g}; got {got}")
    return temperature


def as_lengths(lengths: Any, num_steps: int | tf.Tensor | None = None) -> tf.Tensor:
    """Converts lengths, each at least 0 and, if given, at most `num_steps`, to int32 `[B]`.

    In a graph they are checked when it runs, except where XLA compiles it.

    Raises:
      ValueError: They are not whole numbers, have another shape, or a known one is out of range.
      tf.errors.InvalidArgumentError: A length in a running graph is out of range.
    """
    lengths = as_row_lengths(lengths)
    known, most = (None if v is None else tf.get_static_value(v) for v in (lengths, num_steps))
    if known is None or (most is None and num_steps is not None):
        fits, below = lengths >= 0, []
        if num_steps is not None:
            fits, below = fits & (lengths <= num_steps), ["to", num_steps, ", the number of steps"]
        return require(fits, ["expected lengths from 0", *below, "; got", lengths], lengths)
    if known.size and (known.min() < 0 or (most is not None and known.max() > most)):
        limit = "" if most is None else f" to {most}, the number of steps"
        raise ValueError(f"expected lengths from 0{limit}; got {known.min()} to {known.max()}")
    return lengths


def as_row_lengths(lengths: Any) -> tf.Tensor:
    """Converts lengths to int32 `[B]`, whatever their range.

    Raises:
      ValueError: They are not whole numbers, or have another shape.
    """
    lengths = as_int32(lengths)
    if lengths.shape.rank != 1:
        raise ValueError(f"expected lengths [B]; got shape {lengths.shape}")
    return lengths


def as_count(name: str, number: Any, least: int = 1) -> int:
    """Converts a number of things to a Python integer.

    Raises:
      ValueError: It is below `least`, or not a whole number; the error names it.
    """
    try:
        count = operator.index(number)
    except TypeError:
        raise ValueError(f"expected {name} that is a whole number; got {number!r}") from None
    if count < least:
        raise ValueError(f"expected {name} of at least {least}; got {count}")
    return count


def longest(lengths: tf.Tensor) -> tf.Tensor:
    """The largest of `lengths [B]`; 0 if there are none."""
    return tf.maximum(tf.reduce_max(lengths), 0)


def require(condition: tf.Tensor, message: list[Any], values: tf.Tensor) -> tf.Tensor:
    """Returns `values` in a graph that fails with `message` if the condition is not all true."""
    with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(condition), message)]):
        return tf.identity(values)


def rounded_steps(num_steps: int, max_length: int) -> int:
    """The smallest power of two that is at least `num_steps`, or `max_length` if that is less.

    XLA compiles a function anew for each number of steps. More than `max_length` stay as they are.
    """
    return max(num_steps, min(1 << max(num_steps - 1, 0).bit_length(), max_length))


def pad_steps(values: tf.Tensor, num_steps: int | tf.Tensor) -> tf.Tensor:
    """`values [B, T, ...]` with zeros up to `num_steps`, at least T."""
    rest = [[0, 0]] * (values.shape.rank - 2)
    return tf.pad(values, [[0, 0], [0, num_steps - tf.shape(values)[1]], *rest])
