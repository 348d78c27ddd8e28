"""What the conditioners of the prior give to their network, and to the maps of a step."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tf_latentflow.networks.positions import Positions, PositionTable
from tf_latentflow.prior.conditioners import Context, KeptStepsConditioner, NetworkConditioner

LENGTHS, STEPS, LIMIT = tf.constant([5, 2]), 5, 3


class _Recorder:
    """A network that returns what it is given."""

    def __init__(self, reads_mapped_steps: bool = True) -> None:
        self.reads_mapped_steps = reads_mapped_steps
        self.positions = PositionTable(4, 8, name="positions")

    def masks(self, *arguments: object) -> object:
        return arguments

    def initial_state(self, *arguments: object) -> object:
        return arguments

    def step(self, *arguments: object) -> object:
        return arguments, "next"

    def __call__(self, *arguments: object, masks: object) -> object:
        return (*arguments, masks)

    def between(self, *arguments: object) -> object:
        return arguments


def _positions() -> Positions:
    return Positions.of(LENGTHS, STEPS, LIMIT)


def _made(kind: type[NetworkConditioner], network: _Recorder) -> NetworkConditioner:
    tables = [PositionTable(2, 8, name=f"table_{k}") for k in range(2)]
    return kind(network, lambda z: z + 1, tables, LENGTHS, LIMIT, "noise")


def _assert_equal(found: object, expected: object) -> None:
    tf.nest.map_structure(np.testing.assert_array_equal, found, expected)


def test_a_network_is_given_what_is_read_and_its_positions_masks_and_state() -> None:
    network, z = _Recorder(), tf.random.stateless_normal([2, STEPS, 3], [1, 2])
    conditioner = _made(NetworkConditioner, network)
    codes, masks, offsets = covariates = conditioner.covariates([2], STEPS)
    _assert_equal(codes, network.positions(_positions()))
    _assert_equal(offsets, tuple(table(_positions()) for table in conditioner._tables))
    assert masks == ([2], STEPS, "noise")
    _assert_equal(
        conditioner.initial_state([2], STEPS), (Positions.of(LENGTHS, 1, LIMIT), [2], STEPS)
    )
    given = z[:, 0] + 1, codes, "state", masks
    found = conditioner.step(z[:, 0], covariates, "state")
    _assert_equal(found, (Context(given, offsets), "next"))
    expected = Context((z + 1, _positions(), masks), offsets)
    _assert_equal(conditioner.scan(z, covariates), expected)


@pytest.mark.parametrize("reads_mapped_steps", [True, False])
@pytest.mark.parametrize("first", [0, 1])
def test_a_mapped_step_is_read_as_zeros_and_as_unknown(
    first: int, reads_mapped_steps: bool
) -> None:
    z = tf.random.stateless_normal([2, STEPS, 3], [1, 2])
    conditioner = _made(KeptStepsConditioner, _Recorder(reads_mapped_steps))
    _, masks, offsets = covariates = conditioner.covariates([2], STEPS)
    (read, *others), found = conditioner.between(z, covariates, first)
    _assert_equal(others, [_positions(), masks, first])
    _assert_equal(found, tuple(offset[:, first::2] for offset in offsets))
    mapped = np.arange(STEPS)[:, None] % 2 == first
    unknown = np.broadcast_to(mapped, [2, STEPS, 1])[..., :reads_mapped_steps]
    _assert_equal(read, np.concatenate([np.where(mapped, 0, z + 1), unknown], axis=-1))
