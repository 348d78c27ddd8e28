"""The training split, dealt to steps."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from train.backend.training_data import TrainingData

_ROLLS = [np.full([length, 2], i, np.uint8) for i, length in enumerate([7, 3, 9, 4, 7, 2, 8, 1, 5])]


def steps(data: TrainingData, start: int) -> list[list[tuple[np.ndarray, np.ndarray]]]:
    found = data.rest_of_epoch(start)
    return [[(x.numpy(), lengths.numpy()) for x, lengths in step] for step in found]


@pytest.mark.parametrize("max_batch_steps", [0, 10])
@pytest.mark.parametrize("accumulation_steps", [1, 3])
def test_an_epoch_and_its_rest(accumulation_steps: int, max_batch_steps: int) -> None:
    config = SimpleNamespace(
        batch_size=2,
        accumulation_steps=accumulation_steps,
        max_batch_steps=max_batch_steps,
        seed=0,
    )
    data = TrainingData(config, _ROLLS)
    whole = steps(data, data.steps_per_epoch)  # The second epoch.
    assert len(whole) == data.steps_per_epoch
    assert [len(step) for step in whole[:-1]] == [accumulation_steps] * (len(whole) - 1)
    seen = []
    for x, lengths in itertools.chain.from_iterable(whole):
        assert x.dtype == np.uint8
        assert not max_batch_steps or len(x) == 1 or x.shape[0] * x.shape[1] <= max_batch_steps
        seen += [(x[i, 0, 0], n) for i, n in enumerate(lengths) if n]
    assert sorted(seen) == [(i, len(roll)) for i, roll in enumerate(_ROLLS)]
    rest = steps(data, data.steps_per_epoch + 1)
    for found, expected in zip(rest, whole[1:], strict=True):
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a[0], b[0])
            np.testing.assert_array_equal(a[1], b[1])
