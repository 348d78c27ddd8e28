"""NLSq: the nonlinear squared scalar map, invertible on the whole real line."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from bijectors.masks import bounded
from bijectors.scalar.base import ScalarBijector, positive, real
from bijectors.scalar.compensated import compensated_residual
from bijectors.scalar.maps import ScalarMap, inverted
from bijectors.scalar.parameters import (
    MAX_LOG_SCALE,
    MAX_LOG_SLOPE,
    from_unconstrained,
    known_value,
    log_det_like,
)

__all__ = ["NLSQ", "NLSq"]

# The map is monotone as long as |c| d / b is smaller than this.
_MAX_KAPPA = 8.0 * math.sqrt(3.0) / 9.0

# The largest log(b / d) in `from_unconstrained`: the bump is at most 1700 high. Next to a higher
# one, float32 could not represent the noise.
_MAX_LOG_BUMP = 7.0


class NLSq(ScalarBijector):
    """`y = a + b*x + c / (1 + (d*x + g)**2)`, elementwise: a line with one bump.

    Monotone for `b > 0`, `d > 0` and `b > 9 / (8 * sqrt(3)) * abs(c) * d`. `forward` is the
    formula. `inverse` is the only real root of a cubic; its derivatives follow from the implicit
    function theorem. The log-det is `log(b - 2*c*d*u / (1 + u**2)**2)` with `u = d*x + g`, in nats
    per element. For float32 the root is computed in float64 and rounded.

    Source: Ziegler and Rush, Latent Normalizing Flows for Discrete Sequences, 2019, section 4.1.

    Example:
      >>> from bijectors import NLSq
      >>> nlsq = NLSq(a=0.0, b=1.0, c=1.5, d=1.0, g=0.0)
      >>> y, log_det = nlsq.forward_and_log_det([-1.0, 0.0, 1.0])
      >>> y.numpy().tolist(), log_det.numpy().round(4).tolist()
      ([-0.25, 1.5, 1.75], [0.5595999956130981, 0.0, -1.386299967765808])
      >>> nlsq.inverse(y).numpy().round(4).tolist()
      [-1.0, 0.0, 1.0]
    """

    a: Any
    c: Any
    d: Any
    g: Any
    # c*d/b, if made by `from_unconstrained`.
    _kappa: tf.Tensor | None = None

    def __init__(
        self,
        a: Any,
        b: Any,
        c: Any,
        d: Any,
        g: Any,
        validate_args: bool = False,
        name: str = "nlsq",
    ) -> None:
        """Args: a, b, c, d, g, float32 or float64, of shapes that broadcast with each other and x.

        Raises:
          ValueError: A parameter has another dtype; or, with `validate_args`, the map is not
            monotone and the values are already known.
        """
        super().__init__({"a": a, "b": b, "c": c, "d": d, "g": g}, validate_args, name)
        if validate_args:
            self._check_positive("b", "d")
            self._check_monotone()

    @classmethod
    def from_unconstrained(cls, raw: Any, alpha: float = 0.95) -> NLSq:
        """The map for any five real numbers `raw[..., 0:5]` = `a, b', c', d', g`.

        `b = exp(b')`, `d = exp(d')`, `c = 8 * sqrt(3) / 9 * (b / d) * alpha * tanh(c')`. The map is
        monotone with a slope of at least `(1 - alpha) * b`, and `raw = 0` is the identity. If `raw`
        is a variable, it is tracked, and the map follows its updates.

        `b'` is clipped to -5 .. 5, so that no context makes the slope of a few layers infinite, and
        `d'` to -10 .. 10. `d` is increased where `b / d` would exceed `exp(7)`, so that the bump is
        never so high that float32 could not represent x next to it.

        Raises:
          ValueError: `raw` is not `[..., 5]`, not float32 or float64, or `alpha` not in (0, 1).
        """
        if not 0.0 < alpha < 1.0:
            raise ValueError(f"expected 0 < alpha < 1; got {alpha}")

        def constrain(raw: tf.Tensor) -> tuple[tf.Tensor, ...]:
            a, log_b, c, log_d, g = tf.unstack(raw, num=5, axis=-1)
            log_b = bounded(log_b, MAX_LOG_SLOPE)
            log_d = tf.maximum(bounded(log_d, MAX_LOG_SCALE), log_b - _MAX_LOG_BUMP)
            b, d = tf.exp(log_b), tf.exp(log_d)
            kappa = (alpha * _MAX_KAPPA) * tf.tanh(c)
            return a, b, kappa * b / d, d, g, log_b, kappa

        a, b, c, d, g, log_b, kappa = from_unconstrained(raw, 5, constrain)
        bijector = cls(a=a, b=b, c=c, d=d, g=g)
        bijector._log_b, bijector._kappa = log_b, kappa
        return bijector

    @classmethod
    def _parameter_properties(cls, dtype: tf.DType | None) -> dict[str, Any]:
        return {"a": real(), "b": positive(), "c": real(), "d": positive(), "g": real()}

    def _check_monotone(self) -> None:
        b, c, d = (known_value(p) for p in (self.b, self.c, self.d))
        if b is not None and c is not None and d is not None:
            kappa = abs(c) * d / b
            if not (kappa < _MAX_KAPPA).all():
                raise ValueError(
                    "expected a monotone map, |c| * d / b < 8 * sqrt(3) / 9 = "
                    f"{_MAX_KAPPA:.4f}; got {kappa.max():.4f}"
                )

    def _forward_and_log_det(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # At infinity q is 0, and 2 * kappa * u * q * q has to be 0 too.
        largest = x.dtype.max
        u = self.d * tf.clip_by_value(x, -largest, largest) + self.g
        u = tf.clip_by_value(u, -largest / 8, largest / 8)
        q = 1.0 / (1.0 + u * u)
        y = self.a + self.b * x + self.c * q
        kappa = self.c * self.d / self.b if self._kappa is None else self._kappa
        return y, log_det_like(self._log_slope() + tf.math.log1p(-2.0 * kappa * u * q * q), y)

    def _inverse_and_log_det(self, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x = self._inverse(y)
        return x, -self._forward_and_log_det(x)[1]

    def _inverse(self, y: tf.Tensor) -> tf.Tensor:
        infinite = tf.math.is_inf(y)
        x = self._finite_root(tf.where(infinite, tf.zeros_like(y), y))
        return tf.where(infinite, y, x)

    def _finite_root(self, y: tf.Tensor) -> tf.Tensor:
        # In float64, so that a float32 root is correct to the last bit, and thus monotone in y.
        y, a, b, c, d, g = (
            tf.cast(v, tf.float64) for v in (y, self.a, self.b, self.c, self.d, self.g)
        )
        x = tf.stop_gradient(_approximate_root(y, a, b, c, d, g))
        # Two Newton steps from a constant near the root make the value exact. Each step doubles the
        # order of contact, so the first three derivatives in y and all parameters are exact too.
        for compensated in (False, self.dtype == tf.float64):
            u = d * x + g
            q = 1.0 / (1.0 + u * u)
            residual = a + b * x + c * q - y
            if compensated:
                # Where terms cancel, rounding errors would make x non-monotone in y.
                exact = compensated_residual(x, y, a, b, c, d, g)
                exact = tf.where(tf.math.is_finite(exact), exact, residual)
                residual += tf.stop_gradient(exact - residual)
            x -= residual / (b - 2.0 * c * d * u * q * q)
        return tf.cast(x, self.dtype)


def _approximate_root(
    y: tf.Tensor, a: tf.Tensor, b: tf.Tensor, c: tf.Tensor, d: tf.Tensor, g: tf.Tensor
) -> tf.Tensor:
    """Returns the root `x` to about six digits; all float64.

    Substituting `u = d*x + g` leaves two parameters: `u + kappa / (1 + u**2) = v`. This cubic is
    solved in closed form with a float32 cube root. The result is clipped to the bracket that
    follows from `0 < 1 / (1 + u**2) <= 1`. Two parameters can be tested exhaustively, and they are.
    """
    kappa = c * d / b
    v = (y - a) * d / b + g
    # Beyond this the bracket is accurate enough, and powers of v would overflow.
    t = tf.clip_by_value(v, -1e6, 1e6)
    # u = t / 3 + w turns the cubic into w**3 + p*w = m.
    p = 1.0 - t * t / 3.0
    m = t * (2.0 / 3.0) * (1.0 + t * t / 9.0) - kappa
    discriminant = m * m / 4.0 + p * p * p / 27.0
    cube = 0.5 * tf.abs(m) + tf.sqrt(tf.maximum(discriminant, 0.0))
    w = tf.cast(tf.exp(tf.math.log(tf.cast(cube, tf.float32)) / 3.0), tf.float64)
    w = tf.maximum(w, 1e-12)
    u = t / 3.0 + tf.sign(m) * (w - p / (3.0 * w))
    u = tf.clip_by_value(u, v - tf.maximum(kappa, 0.0), v - tf.minimum(kappa, 0.0))
    return (u - g) / d


NLSQ = ScalarMap(
    num_params=5,
    output_scale=(1.0, 0.4, 0.3, 0.4, 1.0),
    from_unconstrained=inverted(NLSq.from_unconstrained),
)
