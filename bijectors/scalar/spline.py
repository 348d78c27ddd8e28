"""TFP's rational-quadratic spline as a scalar map with unconstrained parameters."""

from __future__ import annotations

import functools
import math
from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

from bijectors.base import FlowBijector
from bijectors.scalar.base import ScalarBijector
from bijectors.scalar.maps import ScalarMap, inverted
from bijectors.scalar.parameters import from_unconstrained, log_det_like

__all__ = ["rational_quadratic_spline", "spline_map"]

_NUM_BINS = 8


class _Spline(ScalarBijector):
    """TFP's spline, which itself can be neither sliced nor, within a distribution, deep-copied."""

    bin_widths: Any
    bin_heights: Any
    knot_slopes: Any

    def __init__(
        self,
        bin_widths: Any,
        bin_heights: Any,
        knot_slopes: Any,
        range_min: float,
        validate_args: bool = False,
        name: str = "rational_quadratic_spline",
    ) -> None:
        values = {"bin_widths": bin_widths, "bin_heights": bin_heights, "knot_slopes": knot_slopes}
        self._range_min = range_min
        super().__init__(values, validate_args, name, range_min=range_min)

    @classmethod
    def _parameter_properties(cls, dtype: tf.DType | None) -> dict[str, Any]:
        properties = tfp.bijectors.RationalQuadraticSpline.parameter_properties(dtype)
        del properties["range_min"]  # TFP would slice it, and then needs a scalar.
        return properties

    def _forward_and_log_det(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        spline, x = self._of_tfp(), tf.identity(x)  # TFP caches by the tensor, not by its value.
        y = self._shaped(spline.forward(x), x)
        return y, log_det_like(spline.forward_log_det_jacobian(x), y)

    def _inverse_and_log_det(self, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        spline = self._of_tfp()
        x = self._shaped(spline.inverse(tf.identity(y)), y)
        return x, log_det_like(-spline.forward_log_det_jacobian(x), x)

    def _shaped(self, mapped: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        # TFP loses sizes of 1 where that of the batch is unknown.
        shape = tf.broadcast_static_shape(values.shape, self.bin_widths.shape[:-1])
        return tf.ensure_shape(mapped, shape)

    def _of_tfp(self) -> tfp.bijectors.Bijector:
        return tfp.bijectors.RationalQuadraticSpline(
            bin_widths=self.bin_widths,
            bin_heights=self.bin_heights,
            knot_slopes=self.knot_slopes,
            range_min=self._range_min,
            validate_args=self.validate_args,
        )


def _num_params(num_bins: int) -> int:
    """Parameters of one spline: a width and a height per bin, and a slope at each inner knot.

    Raises:
      ValueError: There are fewer than two bins.
    """
    if num_bins < 2:
        raise ValueError(f"expected num_bins >= 2; got {num_bins}")
    return 3 * num_bins - 1


def rational_quadratic_spline(
    raw: Any,
    num_bins: int = _NUM_BINS,
    interval: tuple[float, float] = (-6.0, 6.0),
    min_bin_size: float = 1e-2,
    min_slope: float = 1e-2,
    max_slope: float = 1e2,
) -> FlowBijector:
    """A monotone spline on `interval`, and the identity outside it; `raw = 0` is the identity.

    `raw[..., 0 : 3*num_bins - 1]` = widths', heights', slopes'. Widths and heights are a softmax:
    each is at least `min_bin_size`, and together they are as long as the interval. Slopes are a
    softplus, within `min_slope` .. `max_slope`. Unlike `NLSq` and `Affine`, it leaves values
    outside the interval unchanged.

    Source: Durkan et al., Neural Spline Flows, 2019.

    Raises:
      ValueError: `raw` is not `[..., 3*num_bins - 1]`, not float32 or float64, the interval is too
        short for its bins, or a slope of 1 is not within the limits.

    Example:
      >>> import tensorflow as tf
      >>> from bijectors import rational_quadratic_spline
      >>> spline = rational_quadratic_spline(tf.zeros([11]), num_bins=4)  # 3 * 4 - 1 parameters.
      >>> spline.forward([-1.0, 0.5]).numpy().round(4).tolist()
      [-1.0, 0.5]
    """
    low, high = interval
    spare = high - low - num_bins * min_bin_size
    if spare <= 0.0:
        raise ValueError(
            f"expected an interval longer than num_bins * min_bin_size = "
            f"{num_bins * min_bin_size:g}; got {interval}"
        )
    if not 0.0 < min_slope < 1.0 < max_slope:
        raise ValueError(
            f"expected min_slope in (0, 1) and max_slope above 1; got {min_slope} and {max_slope}"
        )
    # raw = 0 gives a slope of 1.
    offset = math.log(math.expm1(1.0 - min_slope))

    def constrain(raw: tf.Tensor) -> tuple[tf.Tensor, ...]:
        widths, heights, slopes = tf.split(raw, [num_bins, num_bins, num_bins - 1], axis=-1)
        return (
            tf.nn.softmax(widths) * spare + min_bin_size,
            tf.nn.softmax(heights) * spare + min_bin_size,
            tf.minimum(tf.nn.softplus(slopes + offset) + min_slope, max_slope),
        )

    widths, heights, slopes = from_unconstrained(raw, _num_params(num_bins), constrain)
    return _Spline(widths, heights, slopes, low)


@functools.cache
def spline_map(num_bins: int = _NUM_BINS) -> ScalarMap:
    """The entry of `SCALAR_MAPS` with `num_bins` bins."""
    num_params = _num_params(num_bins)
    return ScalarMap(
        num_params=num_params,
        output_scale=(1.0,) * num_params,
        from_unconstrained=inverted(
            functools.partial(rational_quadratic_spline, num_bins=num_bins)
        ),
    )
