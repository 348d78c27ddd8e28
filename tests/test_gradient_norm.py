"""The norm by which gradients are clipped."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from train.gradient_norm import global_norm


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1.0, 1e25])
def test_it_is_the_norm_also_where_squares_overflow(scale: float) -> None:
    gradients = [tf.constant([3.0 * scale, 0.0]), tf.constant([[4.0 * scale]])]
    expected = 5 * scale if scale != 1e-30 else 0.0  # Squares below the least float are 0.
    np.testing.assert_allclose(global_norm(gradients), expected, rtol=1e-6)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_stays_so(bad: float) -> None:
    assert not np.isfinite(global_norm([tf.constant([1.0, bad]), tf.constant([1e25])]))
