"""The distribution function of a mixture of logistics as a scalar map."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.base import FlowBijector
from bijectors.root_finder import find_root
from bijectors.scalar.maps import ScalarMap
from bijectors.scalar.parameters import (
    MAX_LOG_SCALE,
    MAX_LOG_SLOPE,
    bounded,
    convert_parameters,
    from_unconstrained,
    known_value,
    log_det_like,
)

__all__ = ["MixtureOfLogistics", "mixture_map"]

# Bound on the absolute log-scale of a component: scales from 0.05 to 20.
_MAX_LOG_WIDTH = 3.0

# The largest logarithm of `b * (|a| + |m| / s)` in `from_unconstrained`. Noise is a sum of terms of
# this size, up to 8100. Next to larger ones, float32 could not represent it. The pretrained model
# stays below 40.
_MAX_LOG_TERM = 9.0


class MixtureOfLogistics(FlowBijector):
    """`y = b * (logit F(x) + a)`, `F(x) = sum_k w[k] sigmoid((x - m[k]) / s[k])`, elementwise.

    Monotone for `b > 0` and `s[k] > 0`. It maps a latent `x`, whose density has up to K modes, to
    its noise `y`. `forward` is the formula. The log-det is
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
        values = convert_parameters(weights=weights, means=means, scales=scales, a=a, b=b)
        self.weights, self.means, self.scales, self.a, self.b = values.values()
        # b', if made by `from_unconstrained`.
        self._log_b: tf.Tensor | None = None
        super().__init__(
            dtype=values["weights"].dtype,
            forward_min_event_ndims=0,
            validate_args=validate_args,
            parameters={**values, "validate_args": validate_args, "name": name},
            name=name,
        )
        shapes = [value.shape for value in (self.weights, self.means, self.scales)]
        sizes = {shape[-1] if shape.rank else 1 for shape in shapes if shape.rank is not None}
        if any(shape.rank == 0 for shape in shapes) or len(sizes - {None}) > 1:
            raise ValueError(
                "expected weights, means and scales of shapes [..., K]; got "
                + ", ".join(map(str, shapes))
            )
        if validate_args:
            for what in ("weights", "scales", "b"):
                value = known_value(getattr(self, what))
                if value is not None and not (value > 0).all():
                    raise ValueError(f"expected {what} > 0; got {value.min()}")

    @classmethod
    def from_unconstrained(cls, raw: Any, num_components: int = 8) -> MixtureOfLogistics:
        """The map for any `3*K + 2` real numbers, `raw[..., 0 : 3*K + 2]` = `w', m', s', a, b'`.

        `w = exp(w')`, normalised by the sum (a softmax); `m` is `m'` plus the centres of K equal
        parts of -3 .. 3; `s = exp(3 * tanh(s' / 3))`; `b = exp(b')`. `w'` is clipped to
        -10 .. 10, `b'` to -5 .. 5, and scales lie within 0.05 .. 20, so that no context makes the
        slope of a few layers infinite. `b` is reduced where `b * (abs(a) + max(abs(m) / s))` would
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
            weights, means, log_scales, rest = tf.split(raw, [*[num_components] * 3, 2], axis=-1)
            a, log_b = tf.unstack(rest, num=2, axis=-1)
            means += tf.constant(start, raw.dtype)
            scales = tf.exp(_MAX_LOG_WIDTH * tf.tanh(log_scales / _MAX_LOG_WIDTH))
            terms = tf.abs(a) + tf.reduce_max(tf.abs(means) / scales, axis=-1)
            most = _MAX_LOG_TERM - tf.math.log(tf.maximum(terms, 1.0))
            log_b = tf.minimum(bounded(log_b, MAX_LOG_SLOPE), most)
            weights = tf.exp(bounded(weights, MAX_LOG_SCALE))
            return weights, means, scales, a, tf.exp(log_b), log_b

        *values, log_b = from_unconstrained(raw, 3 * num_components + 2, constrain)
        bijector = cls(*values)
        bijector._log_b = log_b
        return bijector

    @classmethod
    def _is_increasing(cls) -> bool:
        return True

    @classmethod
    def _parameter_properties(cls, dtype: tf.DType | None) -> dict[str, Any]:
        def of(event_ndims: int, positive: bool) -> tfp.util.ParameterProperties:
            if not positive:
                return tfp.util.ParameterProperties(event_ndims=event_ndims)
            return tfp.util.ParameterProperties(
                event_ndims=event_ndims,
                default_constraining_bijector_fn=lambda: tfp.bijectors.Exp(),
            )

        return {
            "weights": of(1, positive=True),
            "means": of(1, positive=False),
            "scales": of(1, positive=True),
            "a": of(0, positive=False),
            "b": of(0, positive=True),
        }

    def _forward_and_log_det(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        near = _clip_far(x)
        logit, log_slope = _logit(near, *self._components())
        y = self.b * (logit + self.a + (x - near) / tf.reduce_max(self.scales, axis=-1))
        log_b = tf.math.log(self.b) if self._log_b is None else self._log_b
        return y, log_det_like(log_b + log_slope, y)

    def _inverse_and_log_det(self, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x = self._inverse(y)
        return x, -self._forward_and_log_det(x)[1]

    def _inverse(self, y: tf.Tensor) -> tf.Tensor:
        logit = y / self.b - self.a
        near = _clip_far(logit)
        # The solutions of F(x) = sigmoid(logit) for single components enclose that for all.
        roots = self.means + self.scales * near[..., None] + tf.zeros_like(self.weights)
        low, high = tf.reduce_min(roots, axis=-1), tf.reduce_max(roots, axis=-1)
        x = find_root(_logit, self._components(), near, low, high)
        return x + tf.reduce_max(self.scales, axis=-1) * (logit - near)

    def _components(self) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        return tf.convert_to_tensor(self.weights), tf.convert_to_tensor(self.means), 1 / self.scales


def _clip_far(value: tf.Tensor) -> tf.Tensor:
    """Clips to a range whose squares are finite; outside of it the map is a line."""
    limit = value.dtype.max**0.4
    return tf.clip_by_value(value, -limit, limit)


def _logit(
    x: tf.Tensor, weights: tf.Tensor, means: tf.Tensor, inverse_scales: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns `logit F(x)` and the logarithm of its slope.

    With `u = (x - m) / s` and `r = 1 / (1 + exp(-|u|))`, one of `sigmoid(u)` and `sigmoid(-u)` is
    `r` and the other `r * exp(-|u|)`, so one exponential per component is enough. A factor common
    to the terms of a sum is divided out first and added back to the logarithm.
    """
    u = (x[..., None] - means) * inverse_scales
    above = u >= 0.0
    size = tf.where(above, u, -u)  # Not `tf.abs`, whose slope at 0 is 0.
    # The result does not depend on the factors divided out, so they need no gradient.
    fixed = tf.stop_gradient(u)
    of_f = tf.reduce_min(tf.stop_gradient(size), axis=-1)
    of_left = tf.nn.relu(-tf.reduce_max(fixed, axis=-1))
    of_right = tf.nn.relu(tf.reduce_min(fixed, axis=-1))
    t = tf.exp(of_f[..., None] - size)
    r = 1.0 / (1.0 + tf.exp(-of_f)[..., None] * t)
    near = weights * r
    far = near * t
    # F, 1 - F and f, each multiplied by the sum of the weights.
    left = tf.where(above, near, tf.exp(of_left - of_f)[..., None] * far)
    right = tf.where(above, tf.exp(of_right - of_f)[..., None] * far, near)
    left, right = tf.reduce_sum(left, axis=-1), tf.reduce_sum(right, axis=-1)
    f = tf.reduce_sum(far * r * inverse_scales, axis=-1)
    logit = tf.math.log(left / right) + (of_right - of_left)
    slope = tf.reduce_sum(weights, axis=-1) * f / (left * right)
    return logit, tf.math.log(slope) + (of_right + of_left - of_f)


@functools.cache
def mixture_map(num_components: int = 8) -> ScalarMap:
    """The entry of `SCALAR_MAPS` with `num_components` components."""
    k = num_components
    return ScalarMap(
        num_params=3 * k + 2,
        output_scale=(*[1.0] * (2 * k), *[0.4] * k, 1.0, 0.4),
        from_unconstrained=lambda raw: tfp.bijectors.Invert(
            MixtureOfLogistics.from_unconstrained(raw, k)
        ),
    )
