"""Values, networks and contexts that do not go together, and dtypes that do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from bijectors import (
    HIDDEN_STRUCTURES,
    SCALAR_MAPS,
    Affine,
    AutoregressiveHidden,
    AutoregressiveTime,
    Compose,
    ConditionalMADE,
    ConditionalMLP,
    CouplingTime,
    HiddenBijector,
    IndependentHidden,
    IndependentTime,
    InverseAutoregressiveTime,
    SplitCouplingHidden,
    TimeBijector,
)

H, CONTEXT = 4, 3
affine = SCALAR_MAPS["affine"]


class Mean:
    """Context: a layer of the sum of the vectors before a step, in float32."""

    def __init__(self) -> None:
        self.kernel = tf.ones([H, CONTEXT]) / 10

    def covariates(self, batch_shape, num_steps):
        return ()

    def initial_state(self, batch_shape, num_steps):
        return tf.zeros(tf.concat([batch_shape, [H]], axis=0))

    def step(self, inputs, covariates, state):
        return tf.matmul(state + inputs, self.kernel), state + inputs

    def scan(self, inputs, covariates):
        return tf.linalg.matmul(tf.cumsum(inputs, axis=-2), self.kernel)

    def between(self, inputs, covariates, first):
        return self.scan(inputs, covariates)[..., first::2, :]


def hidden_of(name: str) -> Callable[[tf.Tensor | None], HiddenBijector]:
    structure = HIDDEN_STRUCTURES[name]
    network = structure.network(H, affine.num_params, CONTEXT, (8, 8))
    return lambda context: structure.bijector(network, affine.from_unconstrained, context)


@pytest.mark.parametrize(
    "kind", [AutoregressiveTime, InverseAutoregressiveTime, CouplingTime], ids=lambda k: k.__name__
)
@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int64])
def test_values_of_any_dtype_go_through_a_flow_in_float32(
    kind: type[TimeBijector], dtype: type
) -> None:
    values = np.arange(2 * 6 * H).reshape([2, 6, H]).astype(dtype) % 3
    flow = kind(Mean(), hidden_of("af"), lengths=[6, 3])
    for bijector in (flow, Compose([flow, flow], event_ndims=2)):
        for method in ("forward_and_log_det", "inverse_and_log_det"):
            mapped, log_det = getattr(bijector, method)(values)
            assert mapped.dtype == log_det.dtype == tf.float32


@pytest.mark.parametrize("shape", [[], [H], None])
def test_what_is_no_sequence_of_vectors_is_refused(shape: list[int] | None) -> None:
    flow = AutoregressiveTime(Mean(), hidden_of("af"))
    with pytest.raises(ValueError, match=r"expected values \[\.\.\., T, H\] for Autoregressive"):
        tf.function(flow.forward, autograph=False).get_concrete_function(
            tf.TensorSpec(shape, tf.float32)
        )


def test_values_and_lengths_of_other_batches_are_refused() -> None:
    flow = AutoregressiveTime(Mean(), hidden_of("af"), lengths=[6, 3])
    for method in (flow.forward, flow.inverse):
        assert method(tf.ones([5, 2, 6, H])).shape == [5, 2, 6, H]
        with pytest.raises(ValueError, match="values and lengths of batch shapes that broadcast"):
            method(tf.ones([2, 5, 6, H]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stride": 1.5}, "expected a stride, a whole number of at least 1; got 1.5"),
        ({"lengths": [1.5, 2.0]}, "expected lengths that are whole numbers"),
    ],
)
def test_options_of_a_time_bijector(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AutoregressiveTime(Mean(), hidden_of("af"), **options)


def test_a_time_bijector_has_the_dtype_that_it_is_given() -> None:
    class Nothing(Mean):
        def scan(self, inputs, covariates):
            return ()

    double = Affine(a=tf.constant(0.0, tf.float64), b=tf.constant(2.0, tf.float64))
    flow = IndependentTime(Nothing(), lambda context: double, dtype="float64")
    assert flow.dtype == flow.forward(tf.ones([2, 5, H])).dtype == tf.float64


def test_a_network_of_another_structure_is_refused() -> None:
    networks = {
        name: structure.network(H, affine.num_params)
        for name, structure in HIDDEN_STRUCTURES.items()
    }
    kinds = {
        "af": AutoregressiveHidden,
        "scf": SplitCouplingHidden,
        "none": IndependentHidden,
    }
    for name, kind in kinds.items():
        kind(networks[name], affine.from_unconstrained).forward(tf.ones([H]))
        for other in set(networks) - {name}:
            with pytest.raises(ValueError, match=rf"a network of HIDDEN_STRUCTURES\['{name}'\]"):
                kind(networks[other], affine.from_unconstrained)
    with pytest.raises(ValueError, match="got a ConditionalMLP with 1 inputs and 3 outputs"):
        SplitCouplingHidden(ConditionalMLP(1, H - 1, affine.num_params), affine.from_unconstrained)


@pytest.mark.parametrize("name", HIDDEN_STRUCTURES)
def test_values_and_contexts_of_other_batches_are_refused(name: str) -> None:
    flow = hidden_of(name)(tf.ones([5, CONTEXT]))
    for method in (flow.forward, flow.inverse):
        assert method(tf.ones([1, H])).shape == [5, H]
        assert method(tf.ones([2, 5, H])).shape == [2, 5, H]
        with pytest.raises(ValueError, match="values and context of batch shapes that broadcast"):
            method(tf.ones([3, H]))


def test_an_offset_of_another_batch_is_refused() -> None:
    made = ConditionalMADE(H, affine.num_params, hidden_sizes=(8,))
    flow = AutoregressiveHidden(made, affine.from_unconstrained, offset=tf.ones([5, 8]))
    assert flow.forward(tf.ones([1, H])).shape == [5, H]
    with pytest.raises(ValueError, match="values and offset of batch shapes that broadcast"):
        flow.inverse(tf.ones([3, H]))
