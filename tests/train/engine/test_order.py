"""The training split, divided into steps."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from train.engine.buckets import Buckets, default_boundaries
from train.engine.order import Call, TrainingOrder, in_groups

_ROLLS = [np.full([length, 2], i, np.uint8) for i, length in enumerate([7, 3, 9, 4, 7, 2, 8, 1, 5])]
_LENGTHS = np.array([len(roll) for roll in _ROLLS])


def make(
    max_batch_steps: int = 0, accumulation_steps: int = 1, group: int = 1, seed: int = 0
) -> TrainingOrder:
    config = SimpleNamespace(
        batch_size=2,
        accumulation_steps=accumulation_steps,
        max_batch_steps=max_batch_steps,
        seed=seed,
    )
    return TrainingOrder(config, _ROLLS, default_boundaries(_LENGTHS, 3), group)


def calls_of_epoch(order: TrainingOrder, epoch: int) -> list[Call]:
    step, end = epoch * order.steps_per_epoch, (epoch + 1) * order.steps_per_epoch
    calls = []
    while step < end:
        calls.append(order.call_at(step, end - step))
        step += len(calls[-1].steps)
    assert step == end
    return calls


@pytest.mark.parametrize("max_batch_steps", [0, 10])
@pytest.mark.parametrize("accumulation_steps, group", [(1, 1), (3, 1), (1, 4)])
def test_an_epoch_has_every_sequence_once(
    accumulation_steps: int, group: int, max_batch_steps: int
) -> None:
    order = make(max_batch_steps, accumulation_steps, group)
    calls = calls_of_epoch(order, 1)
    steps = [batches for call in calls for batches in call.steps]
    assert [len(batches) for batches in steps[:-1]] == [accumulation_steps] * (len(steps) - 1)
    seen = []
    for x, lengths, index in (batch for batches in steps for batch in batches):
        assert x.dtype == np.uint8 and x.shape[1] in order.boundaries
        assert len(x) == Buckets(order.boundaries, 2, max_batch_steps).rows(x.shape[1])
        for row, length, i in zip(x, lengths, index, strict=True):
            assert not row[length:].any()
            if i < 0:
                assert length == 0
            else:
                np.testing.assert_array_equal(row[:length], _ROLLS[i])
                seen.append(int(i))
    assert sorted(seen) == list(range(len(_ROLLS)))
    if group > 1:
        assert max(len(call.steps) for call in calls) > 1
        assert all(len(call.bounds) == 1 and len(call.steps) <= group for call in calls)


def test_a_step_has_its_batches_whatever_came_before() -> None:
    for step in (0, 3, 7, 4):
        found, expected = make(10, 2), make(10, 2)
        expected.call_at(1, 9)
        (a,), (b,) = found.call_at(step, 9).steps, expected.call_at(step, 9).steps
        for one, other in zip(a, b, strict=True):
            np.testing.assert_array_equal(one.index, other.index)


def test_epochs_and_seeds_differ() -> None:
    first, *others = (
        [batch.index.tolist() for call in calls_of_epoch(order, e) for (batch,) in call.steps]
        for order, e in ((make(), 0), (make(), 1), (make(seed=1), 0))
    )
    assert first not in others


def test_a_call_keeps_to_what_is_asked() -> None:
    order = make(group=4)
    assert max(len(order.call_at(step, 1).steps) for step in range(order.steps_per_epoch)) == 1
    with pytest.raises(ValueError, match="expected accumulation_steps 1"):
        make(accumulation_steps=2, group=2)


def test_groups_hold_each_batch_once_and_one_bucket() -> None:
    buckets = np.random.default_rng(0).integers(0, 3, 50)
    order = in_groups(buckets, 4, seed=0, epoch=2)
    assert sorted(order) == list(range(50))
    changes = np.count_nonzero(np.diff(buckets[order]))
    assert changes <= sum(-(-np.sum(buckets == b) // 4) for b in range(3))
    assert not np.array_equal(order, in_groups(buckets, 4, seed=0, epoch=3))
    assert not np.array_equal(order, in_groups(buckets, 4, seed=1, epoch=2))
