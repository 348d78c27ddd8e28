"""The private MLIR bindings of TensorFlow that a bundle leans on are where they were."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from export.bundle.stablehlo import lower, variables_of


def test_a_function_becomes_a_program() -> None:
    weight = tf.Variable([2.0, 3.0])
    function = tf.function(
        lambda x: tf.reduce_sum(weight * x),
        input_signature=[tf.TensorSpec([2], tf.float32)],
        jit_compile=True,
    )
    assert [variable is weight for variable in variables_of(function)] == [True]
    program = lower(function, [tf.TensorSpec([2], tf.float32)])
    assert program.results == [("float32", [])]
    assert b"ML" in program.artifact[:4]  # The mark of MLIR's byte code.
    assert np.isfinite(float(function(tf.constant([1.0, 1.0]))))
