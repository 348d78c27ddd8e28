"""The mixture of logistics as a citizen of TFP: batches, distributions, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bijectors import MixtureOfLogistics


def test_parameters_broadcast_and_have_a_batch() -> None:
    bijector = MixtureOfLogistics(
        weights=[0.3, 0.7], means=tf.zeros([4, 1, 2]), scales=tf.ones([3, 2]), a=0.1, b=tf.ones([3])
    )
    assert bijector.experimental_batch_shape() == (4, 3)
    for method in (bijector.forward_and_log_det, bijector.inverse_and_log_det):
        value, log_det = method(0.3)
        assert value.shape == log_det.shape == (4, 3)
    copy = bijector.copy(b=2.0, name="another")
    np.testing.assert_allclose(copy.forward(0.3), 2 * bijector.forward(0.3), rtol=1e-6)
    assert copy.name == "another" and set(copy.parameters) == set(bijector.parameters)


def test_a_distribution_of_several_modes() -> None:
    flow = tfp.bijectors.Invert(
        MixtureOfLogistics(weights=[1.0, 2.0], means=[-5.0, 5.0], scales=[0.3, 0.3])
    )
    latent = tfp.distributions.TransformedDistribution(tfp.distributions.Logistic(0.0, 1.0), flow)
    z = latent.sample(20_000, seed=[0, 1])
    # The logit of F maps the mixture to a logistic: this distribution is the mixture.
    assert float(tf.reduce_mean(tf.cast(z > 0, tf.float32))) == pytest.approx(2 / 3, abs=0.01)
    mixture = tfp.distributions.MixtureSameFamily(
        tfp.distributions.Categorical(probs=[1 / 3, 2 / 3]),
        tfp.distributions.Logistic([-5.0, 5.0], 0.3),
    )
    np.testing.assert_allclose(latent.log_prob(z), mixture.log_prob(z), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(latent.cdf(z), mixture.cdf(z), atol=1e-6)


GOOD = {"weights": [0.5, 0.5], "means": [0.0, 1.0], "scales": [1.0, 2.0], "a": 0.0, "b": 1.0}


@pytest.mark.parametrize(
    "change, message",
    [
        ({"weights": [0.5, -0.5]}, "expected weights > 0; got -0.5"),
        ({"scales": [0.0, 1.0]}, "expected scales > 0; got 0.0"),
        ({"b": -1.0}, "expected b > 0; got -1.0"),
        ({"means": [0.0, 1.0, 2.0]}, r"of shapes \[..., K\]; got \(2,\), \(3,\), \(2,\)"),
        ({"means": 0.0}, r"of shapes \[..., K\]; got \(2,\), \(\), \(2,\)"),
        ({"a": np.float16(1.0)}, "expected a of dtype float32 or float64; got float16"),
    ],
)
def test_wrong_parameters_are_refused(change: dict, message: str) -> None:
    MixtureOfLogistics(**GOOD, validate_args=True)
    with pytest.raises(ValueError, match=message):
        MixtureOfLogistics(**{**GOOD, **change}, validate_args=True)


def test_a_wrong_number_of_components_is_refused() -> None:
    with pytest.raises(ValueError, match="expected num_components >= 1; got 0"):
        MixtureOfLogistics.from_unconstrained(tf.zeros([2]), 0)
    with pytest.raises(ValueError, match=r"parameters of shape \[..., 26\]; got \(8,\)"):
        MixtureOfLogistics.from_unconstrained(tf.zeros([8]))
