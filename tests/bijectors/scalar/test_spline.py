"""The spline: its interval, and its number of bins."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bijectors.scalar.spline import rational_quadratic_spline
from tests.bijectors.scalar.maps import BATCH, EVENT, draw


def test_spline_is_the_identity_outside_its_interval() -> None:
    raw, _ = draw("spline")
    spline = rational_quadratic_spline(raw, interval=(-2.0, 2.0))
    x = tf.constant([[-5.0], [-2.0], [2.0], [3.0]], tf.float64)[:, None]
    np.testing.assert_allclose(spline.forward(x), np.broadcast_to(x, (4, BATCH, EVENT)))
    x = np.array([-6.0, -5.9, 5.9, 6.0])[:, None, None]
    moved = np.abs(rational_quadratic_spline(raw).forward(x) - x).max(axis=(1, 2)) > 1e-6
    assert moved.tolist() == [False, True, True, False]
    for slopes in ({"min_slope": 1.0}, {"min_slope": 0.0}, {"max_slope": 0.5}):
        with pytest.raises(ValueError, match="expected min_slope in .* and max_slope above 1"):
            rational_quadratic_spline(raw, **slopes)
    with pytest.raises(ValueError, match="expected num_bins >= 2; got 1"):
        rational_quadratic_spline(raw, num_bins=1)
    with pytest.raises(ValueError, match="expected an interval longer than .* 0.08; got"):
        rational_quadratic_spline(raw, interval=(1.0, 1.0))
