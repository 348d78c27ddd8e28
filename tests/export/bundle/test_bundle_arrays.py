"""Arrays as a bundle has them: whole, or rounded to bfloat16."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from export.bundle.device.arrays import load_arrays, round_to_bfloat16, save_arrays


def test_arrays_come_back_whole_or_rounded() -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(3, 5)).astype(np.float32), np.array(7), np.zeros([0, 2], np.int32)]
    whole = load_arrays(save_arrays(arrays))
    rounded = load_arrays(save_arrays(arrays, rounded=1))
    for found, array in zip([*whole, *rounded[1:]], [*arrays, *arrays[1:]], strict=True):
        np.testing.assert_array_equal(found, array, strict=True)
    expected = tf.cast(tf.cast(arrays[0], tf.bfloat16), tf.float32)
    np.testing.assert_array_equal(rounded[0], expected)
    np.testing.assert_array_equal(round_to_bfloat16(arrays[0]), expected)
