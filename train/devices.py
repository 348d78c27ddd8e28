"""Where a run is computed, and by which update rule."""

from __future__ import annotations

import sys

import keras
import tensorflow as tf

from train.config import TrainConfig

__all__ = ["make_optimizer", "make_strategy", "peak_memory_gib"]


def make_strategy() -> tf.distribute.Strategy:
    """Returns the strategy of a single device: the first GPU, or else the CPU."""
    device = "/gpu:0" if tf.config.list_physical_devices("GPU") else "/cpu:0"
    return tf.distribute.OneDeviceStrategy(device)


def make_optimizer(config: TrainConfig) -> keras.optimizers.Optimizer:
    """Returns the optimiser that a run's settings name; its variables are not built yet."""
    if config.optimizer == "sgd":
        return keras.optimizers.SGD(config.learning_rate)
    # The KL term's gradient is small while its weight is; Keras' epsilon of 1e-7 would damp it.
    return keras.optimizers.Adam(config.learning_rate, epsilon=1e-8)


def peak_memory_gib() -> float | None:
    """Returns the most host memory that this process has had, GiB; None where no one counts it."""
    try:
        import resource
    except ImportError:  # Windows.
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**30 if sys.platform == "darwin" else 2**20)  # Bytes there, else KiB.
