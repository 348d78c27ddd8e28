"""Both directions of any TFP bijector with their log-determinants, and loops over steps."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors import Affine, Reverse, forward_and_log_det, inverse_and_log_det, scan

both = pytest.mark.parametrize("direction", [forward_and_log_det, inverse_and_log_det])


@both
def test_lists_and_values_of_unknown_rank_are_mapped(direction) -> None:
    shift = tfp.bijectors.Shift(1.0)
    y, log_det = direction(shift, [1.0, 2.0], 1)
    assert y.shape == (2,) and log_det.shape == ()
    mapped = tf.function(
        lambda values: direction(shift, values, 1), input_signature=[tf.TensorSpec(None)]
    )
    y, log_det = mapped(tf.ones([4, 2]))
    assert y.shape == (4, 2) and log_det.shape == (4,)


@both
@pytest.mark.parametrize("kind", [tfp.bijectors.Shift, tfp.bijectors.Scale])
@pytest.mark.parametrize("event_ndims", [0, 1])
def test_a_log_det_has_the_batch_of_the_result(direction, kind, event_ndims: int) -> None:
    y, log_det = direction(kind(tf.ones([7, 3])), tf.ones([3]), event_ndims)
    assert y.shape == (7, 3) and log_det.shape == (7, 3)[: 2 - event_ndims]


@both
def test_an_event_is_not_smaller_than_that_of_the_bijector(direction) -> None:
    with pytest.raises(ValueError, match="at least the bijector's minimum; got 1 too few"):
        direction(Reverse(), tf.ones([3]), 0)


@both
@pytest.mark.parametrize(
    "bijector",
    [Affine(np.float64(0), np.float64(1)), tfp.bijectors.Shift(np.float64(0)), Reverse()],
    ids=lambda bijector: bijector.name,
)
def test_plain_numbers_are_read_in_the_dtype_of_the_bijector(
    float64: None, direction, bijector
) -> None:
    # Without a dtype, integers are of Keras' dtype.
    value = [3] if bijector.dtype is None else [0.1]
    found = direction(bijector, value, 1)[0]
    assert found.dtype == tf.float64 and found.numpy().tolist() == value


@pytest.mark.parametrize(
    ("direction", "kind", "shape", "event_ndims"),
    [
        (forward_and_log_det, tfp.bijectors.Reshape([2, 2], [4]), [3, 4], 1),
        (inverse_and_log_det, tfp.bijectors.Reshape([2, 2], [4]), [3, 2, 2], 2),
        (forward_and_log_det, tfp.bijectors.FillTriangular(), [3, 6], 1),
        (inverse_and_log_det, tfp.bijectors.FillTriangular(), [3, 3, 3], 2),
    ],
)
def test_a_log_det_has_the_batch_of_events_of_another_rank(
    direction, kind, shape: list[int], event_ndims: int
) -> None:
    assert direction(kind, tf.ones(shape), event_ndims)[1].shape == (3,)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_loop_over_an_unknown_number_of_steps_may_have_none(reverse: bool) -> None:
    spec = tf.TensorSpec([None, 2], tf.float32)

    @tf.function(input_signature=[spec, tf.TensorSpec([None, None, 2])])
    def sums(state: tf.Tensor, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        def add(total: tf.Tensor, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return total + x, total + x

        return scan(add, state, inputs, spec, reverse)

    for num_steps in (0, 1, 3):
        inputs = np.arange(num_steps * 8.0).reshape(num_steps, 4, 2).astype(np.float32)
        last, outputs = sums(tf.fill([4, 2], 5.0), inputs)
        expected = 5 + np.cumsum(inputs[::-1] if reverse else inputs, axis=0)
        np.testing.assert_array_equal(outputs, expected[::-1] if reverse else expected)
        np.testing.assert_array_equal(last, expected[-1] if num_steps else np.full([4, 2], 5.0))
