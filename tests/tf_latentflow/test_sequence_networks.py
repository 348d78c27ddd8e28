"""Networks over time: step after step is all steps at once, and a step reads what it may."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_latentflow import ModelConfig
from tf_latentflow.config.choices import CONDITIONERS, TWO_SIDED_CONDITIONERS
from tf_latentflow.networks.lstm import LSTMStack
from tf_latentflow.networks.positions import Positions
from tf_latentflow.networks.sequence_network import SequenceNetwork
from tf_latentflow.noise import noise_of

INPUT, UNITS, STEPS = 2, 8, 11  # Of fewer units, all may be at 0 at a step.
LENGTHS = tf.constant([11, 6, 0])
every_kind = pytest.mark.parametrize("kind", CONDITIONERS)
every_two_sided_kind = pytest.mark.parametrize("kind", TWO_SIDED_CONDITIONERS)


def make(kind: str, two_sided: bool = False, dropout: float = 0.0) -> SequenceNetwork:
    """The network of a conditioner, with 2 layers, or over 2 steps."""
    sizes = {"hidden_size": UNITS, "num_lstm_layers": 2, "max_length": 12, "dropout": dropout}
    numbered = f"{kind}:2" if f"{kind}:2" in CONDITIONERS else kind
    keras.utils.set_random_seed(0)
    network = CONDITIONERS[numbered](ModelConfig(**sizes), INPUT, two_sided=two_sided)
    rng = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign_add(rng.normal(0, 0.5, variable.shape))
    return network


def draw_inputs(network: SequenceNetwork, *batch: int) -> tf.Tensor:
    """Inputs of the size that a network reads: `INPUT`, or more of a two-sided one."""
    size = network.input_kernel.shape[0]
    return tf.constant(np.random.default_rng(1).normal(size=(*batch, 3, STEPS, size)))


def run(network: SequenceNetwork, inputs: tf.Tensor) -> tf.Tensor:
    """All steps of a network at once."""
    return network(inputs, Positions.of(LENGTHS, inputs.shape[-2], 12))


@pytest.mark.parametrize("batch", [(), (2,)])
@every_kind
def test_step_after_step_is_all_steps_at_once_with_dropout(
    float64: None, kind: str, batch: tuple[int, ...]
) -> None:
    network = make(kind, dropout=0.4)
    inputs = draw_inputs(network, *batch)
    shape = tf.shape(inputs)[:-2]
    positions = Positions.of(LENGTHS, STEPS, 12)
    offset = network.positions(positions)
    masks = network.masks(shape, STEPS, noise_of(tf.constant([1, 2]), 3))
    state = network.initial_state(positions, shape, STEPS)
    at_once = network(inputs, positions, masks)
    assert 0.2 < np.mean(at_once == 0) < 0.6, "as many as the rate are dropped"
    assert network.masks(shape, STEPS, None) == ()
    for t in range(STEPS):
        output, state = network.step(
            inputs[..., t, :], offset[:, t], state, tuple(mask[..., t, :] for mask in masks)
        )
        np.testing.assert_allclose(output, at_once[..., t, :], atol=1e-12)


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5])
def test_what_is_dropped_is_independent_though_one_number_decides_four_times(rate: float) -> None:
    network = LSTMStack(INPUT, 2, 2, 12, dropout=rate)
    masks = network.masks(tf.constant([100]), 2000, noise_of(3, 100))
    values = network._drop(tf.ones(tf.shape(masks[0])), masks, 0)
    np.testing.assert_allclose(np.unique(values), [0, 1 / (1 - rate)], rtol=1e-6)
    kept = tf.reshape(tf.concat(masks, axis=-1), [-1, 4]).numpy()
    counts = np.bincount(kept @ [1, 2, 4, 8], minlength=16)
    patterns = (np.arange(16)[:, None] >> np.arange(4)) % 2
    expected = len(kept) * np.prod(np.where(patterns == 1, 1 - rate, rate), axis=1)
    assert np.all(np.abs(counts - expected) < 4 * np.sqrt(expected) + 3)


def jacobian_over_steps(network: SequenceNetwork) -> np.ndarray:
    """Whether output `[t]` depends on input `[s]`, bool `[B, t, s]`."""
    inputs = draw_inputs(network)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        outputs = tf.reduce_sum(run(network, inputs) ** 2, axis=-1)
    jacobian = tape.batch_jacobian(outputs, inputs, experimental_use_pfor=False)
    return np.any(jacobian != 0, axis=-1)


@every_kind
def test_a_causal_network_reads_no_later_step(float64: None, kind: str) -> None:
    depends = jacobian_over_steps(make(kind))
    assert not np.triu(depends, 1).any()
    assert depends[:, np.arange(STEPS), np.arange(STEPS)].all()


def test_the_reach_of_convolutions(float64: None) -> None:
    distance = np.arange(STEPS)[:, None] - np.arange(STEPS)
    causal, both = make("conv"), make("conv", two_sided=True)
    # 2 (2^2 - 1) steps back, or 2^2 - 1 to either side.
    for network, least, most in ((causal, 0, 6), (both, -3, 3)):
        depends = jacobian_over_steps(network)[0]
        assert not depends[(distance < least) | (distance > most)].any()
        # A hidden unit may be at 0 for one pair of steps, and not for all of a distance.
        assert all(depends[distance == d].any() for d in range(least, most + 1))


def test_the_reach_of_a_window(float64: None) -> None:
    distance = np.arange(STEPS)[:, None] - np.arange(STEPS)
    depends = jacobian_over_steps(make("window"))[0]
    assert not depends[(distance < 0) | (distance > 1)].any()
    assert all(depends[distance == d].any() for d in (0, 1))
    depends = jacobian_over_steps(make("window", two_sided=True))[0]
    assert set(distance[depends]) == {-3, -1, 1, 3}


def test_attention_is_its_formula(float64: None) -> None:
    stack = CONDITIONERS["attention:1"](ModelConfig(hidden_size=64), INPUT)  # Of two heads.
    query, key, value = np.random.default_rng(1).normal(size=(3, 2, STEPS, 64))
    seen = np.tril(np.ones([STEPS, STEPS], bool))
    found = stack._attend(query, key, value, seen).numpy()
    for units in (slice(0, 32), slice(32, 64)):
        scores = query[..., units] @ key[..., units].swapaxes(1, 2) / np.sqrt(32)
        weights = np.where(seen, np.exp(scores), 0)
        expected = weights / weights.sum(-1, keepdims=True) @ value[..., units]
        np.testing.assert_allclose(found[..., units], expected, rtol=1e-10)


@pytest.mark.parametrize("num_steps", [0, 1, 2, STEPS - 1, STEPS])
@pytest.mark.parametrize("first", [0, 1])
@every_two_sided_kind
def test_between_kept_steps_is_every_other_step(
    float64: None, kind: str, first: int, num_steps: int
) -> None:
    network = make(kind, two_sided=True, dropout=0.4)
    inputs = draw_inputs(network, 2)[..., :num_steps, :]
    positions = Positions.of(LENGTHS, num_steps, 12)
    masks = network.masks(tf.shape(inputs)[:-2], num_steps, noise_of(tf.constant([1, 2]), 3))
    all_steps = network(inputs, positions, masks)
    mapped = network.between(inputs, positions, masks, first)
    np.testing.assert_allclose(mapped, all_steps[..., first::2, :], atol=1e-12)
    if not network.reads_mapped_steps:
        kept = tf.range(num_steps)[:, None] % 2 != first
        unknown = tf.where(kept, inputs, tf.zeros_like(inputs))
        unread = network.between(unknown, positions, masks, first)
        np.testing.assert_array_equal(unread, mapped)


@every_two_sided_kind
def test_a_two_sided_network_reads_nothing_beyond_a_length(float64: None, kind: str) -> None:
    network = make(kind, two_sided=True)
    inputs = draw_inputs(network)
    within = tf.sequence_mask(LENGTHS, STEPS)[..., None]
    dirty = tf.where(within, inputs, tf.ones_like(inputs) * 7)
    clean = run(network, inputs)
    np.testing.assert_allclose(
        tf.where(within, run(network, dirty), 0), tf.where(within, clean, 0), atol=1e-12
    )
    # Nor does more padding change anything.
    padded = run(network, tf.pad(inputs, [[0, 0], [0, 1], [0, 0]]))[:, :STEPS]
    np.testing.assert_allclose(tf.where(within, padded, 0), tf.where(within, clean, 0), atol=1e-12)
    assert np.triu(jacobian_over_steps(network)[0], 1).any(), "no later step is read"
    with pytest.raises(ValueError, match="expected a causal network to go step by step"):
        network.step(inputs[:, 0], tf.zeros([3, UNITS], tf.float64), ())


@every_kind
def test_the_table_says_which_networks_can_be_two_sided(kind: str) -> None:
    if kind in TWO_SIDED_CONDITIONERS:
        assert make(kind, two_sided=True).two_sided
    else:
        with pytest.raises(ValueError, match="expected a conditioner that reads later steps too"):
            make(kind, two_sided=True)
