"""TFP's cache, and that `UncachedBijector` still stands where TFP looks."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.cache import UncachedBijector


class _Wrong:
    """A bijector whose inverse is wrong, so that a remembered answer shows."""

    def __init__(self) -> None:
        super().__init__(forward_min_event_ndims=0)
        self.calls = 0

    def _forward(self, x: tf.Tensor) -> tf.Tensor:
        self.calls += 1
        return x + 1.0

    def _inverse(self, y: tf.Tensor) -> tf.Tensor:
        return y + 100.0

    def _forward_log_det_jacobian(self, x: tf.Tensor) -> tf.Tensor:
        self.calls += 1
        return tf.zeros_like(x)


class Cached(_Wrong, tfp.bijectors.Bijector):
    pass


class Uncached(_Wrong, UncachedBijector):
    pass


def test_tfp_remembers_and_this_does_not() -> None:
    x = tf.constant(2.0)
    cached, uncached = Cached(), Uncached()
    # If this fails TFP has no cache any more, or another: `UncachedBijector` may go.
    assert float(cached.inverse(cached.forward(x))) == 2.0
    assert float(uncached.inverse(uncached.forward(x))) == 103.0


def test_every_question_is_computed() -> None:
    x, bijector = tf.constant(2.0), Uncached()
    for _ in range(2):
        bijector.forward(x)
        bijector.forward_log_det_jacobian(x, event_ndims=0)
    assert bijector.calls == 4
