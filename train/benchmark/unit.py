"""The unit of all timings: one large matrix product, timed beside the work in the same process."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

__all__ = ["UNIT_OPERATIONS", "Machine", "Timing", "measure_machine", "time_in_units"]

_ROWS, _INNER, _COLUMNS = 1500, 1000, 2000
_READS = 100
# The first dozen calls of a process are slower than later ones, and every floor hangs on these.
_REPEATS = 50
UNIT_OPERATIONS = 2 * _ROWS * _INNER * _COLUMNS  # Multiplications and additions of a unit.
_READ_SHAPE = (2000, 2000)  # 16 MB, as much as the weights of a step at the published sizes.


class Machine(NamedTuple):
    """What this machine does at its best.

    Attributes:
      unit_seconds: Time of the float32 product `[1500, 1000] x [1000, 2000]` [s].
      bytes_per_unit: Bytes of a matrix that products with one vector read in that time.
    """

    unit_seconds: float
    bytes_per_unit: float


class Timing(NamedTuple):
    """The time of a piece of work; medians.

    Attributes:
      seconds: Of the work [s].
      units: The same by the time of a unit, measured alternately with it.
      first_seconds: Of the first call, with tracing and compiling [s].
    """

    seconds: float
    units: float
    first_seconds: float


def measure_machine() -> Machine:
    """Times the unit, and a compiled loop of products of a matrix with a vector."""
    matrix = tf.random.stateless_normal(_READ_SHAPE, [0, 0])
    vector = tf.random.stateless_normal([1, _READ_SHAPE[0]], [0, 1])

    @tf.function(jit_compile=True)
    def read() -> tf.Tensor:
        scale = 1 / _READ_SHAPE[0]
        return tf.while_loop(
            lambda k, _: k < _READS,
            lambda k, v: (k + 1, tf.matmul(v, matrix) * scale),
            (tf.constant(0), vector),
        )[1]

    seconds = _median_seconds(_unit())
    read_seconds = _median_seconds(read) / _READS
    return Machine(seconds, 4 * math.prod(_READ_SHAPE) * seconds / read_seconds)


def time_in_units(work: Callable[[], object], repeats: int = 5) -> Timing:
    """Times `work`, which must return tensors, alternately with the unit, after a first call."""
    unit = _unit()
    first = _seconds(work)
    unit_times, times = [], []
    for _ in range(repeats):
        unit_times.append(_seconds(unit))
        times.append(_seconds(work))
    seconds = statistics.median(times)
    return Timing(seconds, seconds / statistics.median(unit_times), first)


def _median_seconds(work: Callable[[], object]) -> float:
    work()
    return statistics.median(_seconds(work) for _ in range(_REPEATS))


def _seconds(work: Callable[[], object]) -> float:
    """Returns the time until the results are there: a device may go on after the call returns."""
    start = time.perf_counter()
    for result in tf.nest.flatten(work()):
        np.asarray(result)
    return time.perf_counter() - start


def _unit() -> Callable[[], tf.Tensor]:
    a = tf.random.stateless_normal([_ROWS, _INNER], [0, 0])
    b = tf.random.stateless_normal([_INNER, _COLUMNS], [0, 1])
    # Only a corner is fetched, so that copying the result is no part of the unit.
    product = tf.function(lambda: tf.matmul(a, b)[:1, :1])
    product()
    return product
