"""TFP's bijector cache switched off: the one place that leans on `Bijector._cache`."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

__all__ = ["UncachedBijector"]


class UncachedBijector(tfp.bijectors.Bijector):
    """A TFP bijector that computes whatever it is asked.

    TFP answers `inverse(forward(x))` with the remembered `x`, whatever `_inverse` computes, and may
    serve a value computed before a weight update. A bijector that owns networks must do neither.

    `_cache` is a private name of TFP's, which `Bijector.forward`, `inverse` and the log-dets go
    through; `tests/bijectors/test_cache.py` fails if a version of TFP goes another way.
    """

    @property
    def _cache(self) -> _NoCache:
        return _NoCache(self)


class _NoCache:
    """Stands in for TFP's cache and remembers nothing."""

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
