"""Switches TFP's bijector cache off: the only code that relies on the private `Bijector._cache`."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

__all__ = ["UncachedBijector"]


class UncachedBijector(tfp.bijectors.Bijector):
    """A TFP bijector that always computes and never returns cached values.

    TFP answers `inverse(forward(x))` with the cached `x`, whatever `_inverse` would compute, and
    may return a value from before a weight update. Both are wrong for a bijector with networks.

    `Bijector.forward`, `inverse` and the log-determinants use TFP's private attribute `_cache`.
    `tests/bijectors/test_cache.py` fails if a new version of TFP no longer does so.
    """

    @property
    def _cache(self) -> _NoCache:
        return _NoCache(self)


class _NoCache:
    """Replaces TFP's cache and stores nothing."""

    def __init__(self, bijector: tfp.bijectors.Bijector) -> None:
        self._bijector = bijector

    def forward(self, x: tf.Tensor, **kwargs: Any) -> tf.Tensor:
        return self._bijector._forward(x, **kwargs)

    def inverse(self, y: tf.Tensor, **kwargs: Any) -> tf.Tensor:
        return self._bijector._inverse(y, **kwargs)

    def forward_attributes(self, x: tf.Tensor, **kwargs: Any) -> dict[str, tf.Tensor]:
        return {}

    def inverse_attributes(self, y: tf.Tensor, **kwargs: Any) -> dict[str, tf.Tensor]:
        return {}
