"""The distribution function of a mixture of logistics as a scalar map."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from bijectors.axes import move_axis
from bijectors.masks import bounded
from bijectors.root_finder import find_root
from bijectors.scalar.base import ScalarBijector, positive, real
from bijectors.scalar.maps import ScalarMap, inverted
from bijectors.scalar.mixture_logit import aligned, mixture_logit, with_dims
from bijectors.scalar.parameters import (
    MAX_LOG_SCALE,
    MAX_LOG_SLOPE,
    from_unconstrained,
    log_det_like,
)

__all__ = ["MixtureOfLogistics", "mixture_map"]

# Bound on the absolute log-scale of a component: scales from 0.05 to 20.
_MAX_LOG_WIDTH = 3.0

# The largest logarithm of `b * (|a| + sum |m| / s)` in `from_unconstrained`. Noise is a sum of
# terms of this size, up to 8100. Next to larger ones, float32 could not represent it.
_MAX_LOG_TERM = 9.0


class MixtureOfLogistics(ScalarBijector):
    """`y = b * (logit F(x) + a)`, `F(x) = sum_k w[k] sigmoid((x - m[k]) / s[k])`, elementwise.

    Monotone for `b > 0` and `s[k] > 0`. It maps a latent `x`, whose density can have a mode for
    each component, to its noise `y`. `forward` is the formula. The log-det is
    `log(b) + log f(x) - log F(x) - log(1 - F(x))` with `f = dF/dx`, in nats per element. `inverse`
    searches between the smallest and the largest of the components' own inverses,
    `m[k] + s[k] * (y / b - a)`. Its derivatives follow from the implicit function theorem (see
    `find_root`).

    F and 1 - F are summed separately, each relative to its largest term, so that float32 is
    accurate for any `x`. Far from all means the map is a line of slope `b / max(s)`.

    Noise comes back from its latent to about `1e-7 * b * (abs(a) + max(abs(m) / s))`: within 0.01
    for any map of `from_unconstrained`. The reverse holds only where the density is not negligible.
    Between two modes more than about 30 scales apart, F is one floating-point number for many `x`.
    One of them comes back, with the same noise.

    Source: Ho et al., Flow++, 2019, section 3.2.

    Example:
      >>> from bijectors import MixtureOfLogistics
      >>> mixture = MixtureOfLogistics(weights=[0.5, 0.5], means=[-3.0, 3.0], scales=[0.5, 0.5])
      >>> noise = mixture.forward([-3.0, 0.0, 3.0])
      >>> mixture.inverse(noise).numpy().round(4).tolist()
      [-3.0, 0.0, 3.0]
    """

    weights: Any
    means: Any
    scales: Any
    a: Any
    # Weights, means and inverse scales `[K, ...]`, if made by `from_unconstrained`.
    _first: list[tf.Tensor] | None = None

    def __init__(
        self,
        weights: Any,
        means: Any,
        scales: Any,
        a: Any = 0.0,
        b: Any = 1.0,
        validate_args: bool = False,
        name: str = "mixture_of_logistics",
    ) -> None:
        """Args: float32 or float64; weights, means and scales `[..., K]`, a and b `[...]`.

        Weights are normalised by their sum over K. The shapes `[...]` broadcast with x.

        Raises:
          ValueError: A parameter has another dtype; weights, means and scales differ in K; or, with
            `validate_args`, a weight, a scale or `b` is not positive and its value is already
            known.
        """
        values = {"weights": weights, "means": means, "scales": scales, "a": a, "b": b}
        super().__init__(values, validate_args, name)
        shapes = [value.shape for value in (self.weights, self.means, self.scales)]
        sizes = {shape[-1] if shape.rank else 1 for shape in shapes if shape.rank is not None}
        if any(shape.rank == 0 for shape in shapes) or len(sizes - {None}) > 1:
            raise ValueError(
                "expected weights, means and scales of shapes [..., K]; got "
                + ", ".join(map(str, shapes))
            )
        if validate_args:
            self._check_positive("weights", "scales", "b")

    @classmethod
    def from_unconstrained(cls, raw: Any, num_components: int = 8) -> MixtureOfLogistics:
        """The map for `3*K + 2` numbers of size up to 1e15, `raw[..., :]` = `w', m', s', a, b'`.

        `w = exp(w')`, normalised by the sum (a softmax); `m` is `m'` plus the centres of K equal
        parts of -3 .. 3; `s = exp(3 * tanh(s' / 3))`; `b = exp(b')`. `w'` is clipped to
        -10 .. 10, `b'` to -5 .. 5, and scales lie within 0.05 .. 20, so that no context makes the
        slope of a few layers infinite. `b` is reduced where `b * (abs(a) + sum(abs(m) / s))` would
        exceed `exp(9)`, so that float32 does not lose the noise next to large means. `raw = 0` is
        the identity for K = 1 and close to a line for larger K. If `raw` is a variable, it is
        tracked, and the map follows its updates.

        Raises:
          ValueError: `raw` is not `[..., 3*K + 2]`, not float32 or float64, or K is not positive.
        """
        if num_components < 1:
            raise ValueError(f"expected num_components >= 1; got {num_components}")
        start = 3.0 * (2.0 * np.arange(num_components) + 1.0 - num_components) / num_components

        def constrain(raw: tf.Tensor) -> tuple[tf.Tensor, ...]:
            first = move_axis(raw, -1, 0)
            weights, means, log_scales, rest = tf.split(first, [*[num_components] * 3, 2])
            a, log_b = tf.unstack(rest, num=2)
            means += with_dims(tf.constant(start, raw.dtype), tf.rank(a))
            log_scales = _MAX_LOG_WIDTH * tf.tanh(log_scales / _MAX_LOG_WIDTH)
            inverse_scales = tf.exp(-log_scales)
            terms = tf.abs(a) + tf.reduce_sum(tf.abs(means) * inverse_scales, axis=0)
            most = _MAX_LOG_TERM - tf.math.log(tf.maximum(terms, 1.0))
            log_b = tf.minimum(bounded(log_b, MAX_LOG_SLOPE), most)
            weights = tf.exp(bounded(weights, MAX_LOG_SCALE))
            last = (move_axis(v, 0, -1) for v in (weights, means, tf.exp(log_scales)))
            return *last, a, tf.exp(log_b), log_b, weights, means, inverse_scales

        *values, log_b, weights, means, inverse_scales = from_unconstrained(
            raw, 3 * num_components + 2, constrain
        )
        bijector = cls(*values)
        bijector._log_b, bijector._first = log_b, [weights, means, inverse_scales]
        return bijector

    @classmethod
    def _parameter_properties(cls, dtype: tf.DType | None) -> dict[str, Any]:
        return {
            "weights": positive(event_ndims=1),
            "means": real(event_ndims=1),
            "scales": positive(event_ndims=1),
            "a": real(),
            "b": positive(),
        }

    def _forward_and_log_det(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        near = _clip_far(x)
        logit, log_slope = mixture_logit(near, *self._components(near))
        y = self.b * (logit + self.a + (x - near) / self._largest_scale())
        return y, log_det_like(self._log_slope() + log_slope, y)

    def _inverse_and_log_det(self, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x = self._inverse(y)
        return x, -self._forward_and_log_det(x)[1]

    def _inverse(self, y: tf.Tensor) -> tf.Tensor:
        logit = y / self.b - self.a
        near = _clip_far(logit)
        # The solutions of F(x) = sigmoid(logit) for single components enclose that for all.
        roots = self.means + self.scales * near[..., None] + tf.zeros_like(self.weights)
        low, high = tf.reduce_min(roots, axis=-1), tf.reduce_max(roots, axis=-1)
        x = find_root(mixture_logit, self._components(low), near, low, high)
        return x + self._largest_scale() * (logit - near)

    def _largest_scale(self) -> tf.Tensor:
        """The inverse slope of the line far from all means, `[...]`, which gets no gradient."""
        if self._first is None:
            return tf.stop_gradient(tf.reduce_max(self.scales, axis=-1))
        return tf.stop_gradient(1 / tf.reduce_min(tf.convert_to_tensor(self._first[2]), axis=0))

    def _components(self, x: tf.Tensor) -> list[tf.Tensor]:
        """Weights, means and inverse scales, `[K, ...]`, which broadcast with `x`."""
        if self._first is None:
            # The map does not depend on the factor divided out, so that gets no gradient.
            most = tf.reduce_max(tf.stop_gradient(self.weights), axis=-1, keepdims=True)
            last = self.weights / most, self.means, 1 / self.scales
            first = [move_axis(tf.convert_to_tensor(values), -1, 0) for values in last]
        else:
            first = [tf.convert_to_tensor(values) for values in self._first]
        return aligned(first, x)


def _clip_far(value: tf.Tensor) -> tf.Tensor:
    """Clips to a range whose squares are finite; outside of it the map is a line."""
    return bounded(value, value.dtype.max**0.4)


@functools.cache
def mixture_map(num_components: int = 8) -> ScalarMap:
    """The entry of `SCALAR_MAPS` with `num_components` components."""
    k = num_components
    return ScalarMap(
        num_params=3 * k + 2,
        output_scale=(*[1.0] * (2 * k), *[0.4] * k, 1.0, 0.4),
        from_unconstrained=inverted(
            functools.partial(MixtureOfLogistics.from_unconstrained, num_components=k)
        ),
    )
