"""The affine map: its formula, its shapes, and how often it is evaluated."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bijectors.base import forward_and_log_det, inverse_and_log_det
from bijectors.scalar.affine import Affine
from tests.bijectors.scalar.maps import build, draw


def test_affine_is_the_formula() -> None:
    raw, eps = draw("affine")
    for bijector in (
        Affine.from_unconstrained(raw),
        Affine(a=raw[..., 0], b=tf.exp(raw[..., 1]), validate_args=True),
    ):
        y, log_det = bijector.forward_and_log_det(eps)
        np.testing.assert_allclose(y, raw[..., 0] + np.exp(raw[..., 1]) * eps, rtol=1e-12)
        np.testing.assert_allclose(log_det, raw[..., 1], atol=1e-12)
    with pytest.raises(ValueError, match=r"expected b > 0; got -2.0"):
        Affine(a=0.0, b=[1.0, -2.0], validate_args=True)


def test_affine_log_det_has_the_shape_of_the_value() -> None:
    affine = Affine(a=tf.zeros([3]), b=2.0)
    for method in (affine.forward_and_log_det, affine.inverse_and_log_det):
        value, log_det = method(tf.ones([5, 1]))
        assert value.shape == log_det.shape == (5, 3)


def test_value_and_log_det_of_an_inverted_map_are_one_evaluation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    evaluations = []
    for direction in ("_forward_and_log_det", "_inverse_and_log_det"):
        primitive = getattr(Affine, direction)

        def counted(self, values, primitive=primitive, direction=direction):
            evaluations.append(direction)
            return primitive(self, values)

        monkeypatch.setattr(Affine, direction, counted)
    raw, eps = draw("affine")
    forward_and_log_det(build("affine", raw), eps, 1)
    inverse_and_log_det(build("affine", raw), eps, 1)
    assert evaluations == ["_inverse_and_log_det", "_forward_and_log_det"]
