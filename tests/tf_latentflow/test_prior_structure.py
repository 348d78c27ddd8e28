"""The flow prior of every choice: what depends on what, log-det, round trip."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bijectors import (
    AdjointInverseAutoregressiveTime,
    AutoregressiveHidden,
    FixedPointHidden,
)
from bijectors.tables import (
    CAUSAL_TIME_STRUCTURES,
    HIDDEN_STRUCTURES,
    SCALAR_MAPS,
    TIME_STRUCTURES,
)
from tests.models import LEAST_TIME_LAYERS
from tests.pairwise import Combination, combinations, few, parameters
from tests.priors import LENGTHS, H, T, draw, make_prior
from tf_latentflow import ModelConfig
from tf_latentflow.config.choices import CONDITIONER_INPUTS, CONDITIONERS
from tf_latentflow.networks.normal import standard_normal_log_prob
from tf_latentflow.prior.plan import stage_plan

CHOICES = {
    "scalar": few(SCALAR_MAPS),
    "hidden": tuple(HIDDEN_STRUCTURES),
    "time": tuple(TIME_STRUCTURES),
    "conditioner": (*few(CONDITIONERS), None),
    "conditioner_input": tuple(CONDITIONER_INPUTS),
}


def fields(combination: Combination) -> dict[str, object]:
    choices = dict(zip(CHOICES, combination, strict=True))
    if choices["conditioner_input"] == "symbols":
        choices["inference"] = "codebook"  # Of the symbols that are read.
    return {**choices, "flow_layers": 1, "time_layers": LEAST_TIME_LAYERS.get(choices["time"], 1)}


every_choice = pytest.mark.parametrize("combination", parameters(combinations(CHOICES, fields)))


def jacobian(function, values: tf.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The Jacobian `[B, T*H, T*H]` of the first result of `function`, and its second.

    Each sequence stands in the batch once for every output: one backward pass gives all rows.
    """
    copies = tf.tile(values[:, None], [1, T * H, 1, 1])
    with tf.GradientTape() as tape:
        tape.watch(copies)
        outputs, log_det = function(copies)
        diagonal = tf.linalg.diag_part(tf.reshape(outputs, [-1, T * H, T * H]))
    rows = tape.gradient(diagonal, copies)
    return tf.reshape(rows, [-1, T * H, T * H]).numpy(), log_det[:, 0].numpy()


def flat(function, values: tf.Tensor, lengths: np.ndarray) -> tuple[tf.Tensor, tf.Tensor]:
    """`function` with all leading dimensions of `values` and `lengths` as one batch."""
    shape = values.shape
    mapped, log_det = function(tf.reshape(values, [-1, T, H]), lengths.ravel())
    return tf.reshape(mapped, shape), tf.reshape(log_det, shape[:-2])


def allowed(config: ModelConfig, inverse: bool) -> np.ndarray:
    """bool `[T, H, T, H]`: may output (t, i) depend on input (s, j)?

    One layer within a step: dimensions depend on earlier ones (`af`), the second half on the first
    (`scf`), or on none. Across steps a flow is triangular, `none` diagonal. Of two couplings the
    steps that the first one moves see the others, and those that the second one moves see all. At
    many scales an odd step sees the even ones: forward, through these, all that they see.
    """
    t, i, s, j = np.ogrid[:T, :H, :T, :H]
    hidden = {"af": j < i, "scf": (j < H // 2) & (i >= H // 2), "none": j < 0}
    assert config.hidden in hidden, f"say here what depends on what in {config.hidden} of a step"
    earlier = hidden[config.hidden]
    within = (s == t) & ((i == j) | earlier)
    anything = (i >= 0) & (j >= 0)
    if config.time == "none":
        return within
    if config.time == "coupling":
        # Forward, the last stage acts first: it keeps the odd steps, and the even ones come last.
        first, last = (t % 2 == 0, t % 2 == 1) if not inverse else (t % 2 == 1, t % 2 == 0)
        return within | (first & (s % 2 != t % 2) & anything) | (last & anything)
    if config.time == "multiscale":  # Of two scales: the even steps are independent.
        return within | ((t % 2 == 1) & (s % 2 == 0) & anything)
    assert config.time in ("af", "iaf"), f"say here what depends on what in {config.time}"
    return within | ((s < t) & anything)


@every_choice
def test_jacobian_and_round_trip(float64: None, combination: Combination) -> None:
    prior = make_prior("af-af", **fields(combination))
    values, identity = draw(3, T, H), np.eye(T * H).reshape(T, H, T, H)
    repeated = np.tile(np.array(LENGTHS)[:, None], [1, T * H])
    for inverse, function in enumerate((prior.forward_and_log_det, prior.inverse_and_log_det)):
        may = allowed(prior.config, bool(inverse))
        if prior.config.is_causal:
            assert not np.any(np.triu(may.any(axis=(1, 3)), 1)), "a step depends on later ones"
        matrices, log_dets = jacobian(lambda v, f=function: flat(f, v, repeated), values)
        for length, matrix, log_det in zip(LENGTHS, matrices, log_dets, strict=True):
            sign, slogdet = np.linalg.slogdet(matrix)
            assert sign != 0
            np.testing.assert_allclose(log_det, slogdet, atol=1e-8)
            if length == 0:
                assert log_det == 0.0
            matrix = matrix.reshape(T, H, T, H)
            inside = np.arange(T) < length
            both = inside[:, None, None, None] & inside[None, None, :, None]
            assert np.all(matrix[~may & both] == 0)
            # Beyond the length every step is mapped to itself and seen by no other.
            np.testing.assert_array_equal(
                matrix[~np.broadcast_to(both, matrix.shape)],
                identity[~np.broadcast_to(both, matrix.shape)],
            )
            for t, s in np.ndindex(length, length):
                depends = np.any(matrix[t, :, s, :] != 0)
                assert depends == np.any(may[t, :, s, :]), (t, s)

    values = draw(2, 3, T, H)  # a sample dimension in front
    z, forward = prior.forward_and_log_det(values, LENGTHS)
    eps, inverse = prior.inverse_and_log_det(z, LENGTHS)
    assert np.abs(z - values).max() > 0.1
    np.testing.assert_allclose(eps, values, atol=1e-8)
    np.testing.assert_allclose(forward, -inverse, atol=1e-8)


def test_each_scale_has_twice_the_stride_of_the_one_before() -> None:
    config = ModelConfig.from_name("multiscale", time_layers=4)
    plans = [stage_plan(config, number) for number in range(4)]
    assert [plan.stride for plan in plans] == [1, 2, 4, 8]
    assert [plan.is_coupling for plan in plans] == [True, True, True, False]
    assert [plan.of_its_steps(5) for plan in plans] == [5, 3, 2, 1]


def test_the_density_of_iaf_along_time_has_a_gradient_of_its_own() -> None:
    assert isinstance(make_prior("iaf-scf").bijector(LENGTHS), AdjointInverseAutoregressiveTime)


def test_dimensions_are_swept_if_the_execution_says_so() -> None:
    prior = make_prior("af-af", flow_layers=1)
    for sweeps, kind in ((False, AutoregressiveHidden), (True, FixedPointHidden)):
        with prior.executing(sweep_dimensions=sweeps):
            of_a_step = prior.step_bijector(draw(3, T, H), LENGTHS, [0])
        assert [type(bijector) for bijector in of_a_step.bijectors] == [kind]


@pytest.mark.parametrize(
    "time, time_layers",
    [*((time, LEAST_TIME_LAYERS.get(time, 1)) for time in CAUSAL_TIME_STRUCTURES), ("af", 2)],
)
def test_the_maps_of_selected_steps_have_their_densities(
    float64: None, time: str, time_layers: int
) -> None:
    prior = make_prior("af-scf", time=time, time_layers=time_layers)
    z, lengths, steps = draw(2, T + 1, H), tf.constant([T + 1, T]), [2, 0]
    _, expected = prior.step_log_probs(z, lengths)
    bijector = prior.step_bijector(z, lengths, steps)
    eps, log_det = bijector.inverse_and_log_det(tf.gather(z, steps, axis=-2))
    found = log_det + tf.reduce_sum(standard_normal_log_prob(eps), axis=-1)
    np.testing.assert_allclose(found, tf.gather(expected, steps, axis=-1), atol=1e-10)
