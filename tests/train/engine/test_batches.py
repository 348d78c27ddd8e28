"""Buckets, batches and the datasets made of them."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from train.backend.split_evaluation import batch_spec
from train.engine.buckets import (
    Buckets,
    default_boundaries,
    padded,
)

_LENGTHS = np.random.default_rng(0).integers(1, 60, 203)


def _as_lists(batches: list[np.ndarray]) -> list[list[int]]:
    return [batch.tolist() for batch in batches]


def padding_waste(lengths: np.ndarray | list[int], buckets: Buckets) -> float:
    """Returns the share, 0 to 1, of an epoch's time steps that are padding."""
    lengths = np.asarray(lengths)
    bounds = buckets.bounds_of(buckets.batches(lengths, 0, None), lengths)
    rows = [buckets.rows(bound) for bound in bounds]
    return 1.0 - float(np.sum(lengths) / np.dot(rows, bounds))


def test_boundaries_are_the_best_there_are() -> None:
    lengths = np.random.default_rng(1).integers(1, 13, 40)
    for num in (1, 2, 3):
        bounds = default_boundaries(lengths, max_buckets=num)

        def padded(bounds: tuple[int, ...]) -> int:
            return sum(min(b for b in bounds if b >= length) for length in lengths)

        others = itertools.combinations(range(1, lengths.max()), num - 1)
        assert padded(bounds) == min(padded((*other, lengths.max())) for other in others)
        assert len(bounds) <= num and bounds[-1] == lengths.max()


def test_boundaries_are_few_and_ascending() -> None:
    assert default_boundaries(np.array([7])) == (7,)
    assert default_boundaries(np.array([7, 7, 3])) == (3, 7)
    long = np.random.default_rng(2).integers(1, 5000, 3000)  # More lengths than candidates.
    bounds = default_boundaries(long)
    assert len(bounds) == 10 and bounds[-1] == long.max()
    assert list(bounds) == sorted(set(bounds))
    assert padding_waste(long, Buckets(bounds, 8)) < 0.12 < padding_waste(long, Buckets((5000,), 8))


def test_every_sequence_is_in_one_batch_and_one_batch_is_short() -> None:
    buckets = Buckets(default_boundaries(_LENGTHS, 5), 8)
    for epoch in (None, 0, 1):
        batches = buckets.batches(_LENGTHS, seed=3, epoch=epoch)
        assert sorted(np.concatenate(batches)) == list(range(len(_LENGTHS)))
        assert sorted(map(len, batches)) == [203 % 8] + [8] * (203 // 8)


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    buckets = Buckets(default_boundaries(_LENGTHS, 5), 8)
    orders = {}
    for seed, epoch in itertools.product((0, 1), (0, 1, None)):
        first, second = (buckets.batches(_LENGTHS, seed, epoch) for _ in range(2))
        assert _as_lists(first) == _as_lists(second)
        orders[seed, epoch] = str(_as_lists(first))
    assert orders[0, None] == orders[1, None]
    assert len(set(orders.values())) == 5


def test_batches_are_shuffled_across_buckets() -> None:
    buckets = Buckets(default_boundaries(_LENGTHS, 5), 8)
    longest = [_LENGTHS[b].max() for b in buckets.batches(_LENGTHS, seed=0, epoch=0)]
    assert longest != sorted(longest) and longest != sorted(longest, reverse=True)


def test_without_an_epoch_the_order_is_that_of_the_data() -> None:
    lengths = np.array([2, 9, 1, 9, 2, 9])
    batches = Buckets((2, 9), 2).batches(lengths, seed=0, epoch=None)
    assert _as_lists(batches) == [[1, 3], [5, 0], [2, 4]]


@pytest.mark.parametrize("event_shape", [(), (88,)])
def test_a_batch_holds_the_sequences(event_shape: tuple[int, ...]) -> None:
    dtype = np.uint8 if event_shape else np.int32
    rng = np.random.default_rng(5)
    sequences = [rng.integers(1, 100, (length, *event_shape)).astype(dtype) for length in (3, 1, 5)]
    x, lengths, index = padded(sequences, np.array([2, 0]), rows=4, boundary=6)
    assert x.dtype == dtype and lengths.dtype == np.int32 and index.dtype == np.int32
    assert x.shape == (4, 6, *event_shape)
    assert (lengths.tolist(), index.tolist()) == ([5, 3, 0, 0], [2, 0, -1, -1])
    for row, length, i in zip(x[:2], lengths, index, strict=False):
        np.testing.assert_array_equal(row[:length], sequences[i])
    assert not x[0, 5:].any() and not x[1, 3:].any() and not x[2:].any()


def test_padding_waste_counts_padding_and_filling() -> None:
    assert padding_waste([4, 4], Buckets((4,), 2)) == 0.0
    assert padding_waste([4, 2], Buckets((4,), 2)) == pytest.approx(2 / 8)
    assert padding_waste([4, 4, 2], Buckets((2, 4), 2)) == pytest.approx(1 - 10 / 12)


@pytest.mark.parametrize("epoch", [None, 0, 3])
def test_without_a_limit_the_batches_are_what_they_always_were(epoch: int | None) -> None:
    bounds = default_boundaries(_LENGTHS, 5)
    rng = np.random.default_rng([3, epoch or 0])
    batches = []
    for low, high in reversed(list(itertools.pairwise((0, *bounds)))):
        bucket = np.flatnonzero((low < _LENGTHS) & (high >= _LENGTHS))
        batches.append(bucket if epoch is None else rng.permutation(bucket))
    expected = np.split(np.concatenate(batches), range(8, len(_LENGTHS), 8))
    if epoch is not None:
        expected = [expected[i] for i in rng.permutation(len(expected))]
    for max_steps in (0, 8 * 60):  # A limit that nothing meets.
        found = Buckets(bounds, 8, max_steps).batches(_LENGTHS, 3, epoch)
        assert _as_lists(found) == _as_lists(expected)


def test_rows_keep_to_the_limit_of_steps() -> None:
    limited = Buckets((101,), 5, max_steps=100)
    assert [limited.rows(n) for n in (1, 20, 21, 50, 51, 100, 101)] == [5, 5, 4, 2, 1, 1, 1]
    assert Buckets((10**6,), 5).rows(10**6) == 5


@pytest.mark.parametrize("epoch", [None, 0, 1])
@pytest.mark.parametrize("max_steps", [1, 50, 59, 130, 300])
def test_a_limit_of_steps_bounds_every_array(epoch: int | None, max_steps: int) -> None:
    bounds = default_boundaries(_LENGTHS, 5)
    buckets = Buckets(bounds, 8, max_steps)
    batches = buckets.batches(_LENGTHS, 0, epoch)
    assert sorted(np.concatenate(batches)) == list(range(len(_LENGTHS)))
    short, steps = 0, 0
    for batch, bound in zip(batches, buckets.bounds_of(batches, _LENGTHS), strict=True):
        rows = buckets.rows(bound)
        assert bound == min(b for b in bounds if b >= _LENGTHS[batch].max())
        assert rows == 1 or rows * bound <= max_steps
        assert len(batch) <= rows
        short += len(batch) < rows
        steps += rows * bound
    assert short <= 1
    assert padding_waste(_LENGTHS, buckets) == pytest.approx(1 - sum(_LENGTHS) / steps)


def test_the_number_of_batches_is_the_same_in_every_epoch() -> None:
    buckets = Buckets(default_boundaries(_LENGTHS, 5), 8, 130)
    counts = {len(buckets.batches(_LENGTHS, 0, epoch)) for epoch in range(20)}
    assert len(counts) == 1


def test_specs_leave_open_what_varies() -> None:
    rolls = [np.zeros([3, 88], np.uint8), np.zeros([5, 88], np.uint8)]
    assert batch_spec(rolls, 2) == (
        tf.TensorSpec([2, None, 88], tf.uint8),
        tf.TensorSpec([2], tf.int32),
        tf.TensorSpec([2], tf.int32),
    )
    assert batch_spec(rolls, 2, max_steps=5) == (
        tf.TensorSpec([None, None, 88], tf.uint8),
        tf.TensorSpec([None], tf.int32),
        tf.TensorSpec([None], tf.int32),
    )


def test_refuses_what_cannot_be() -> None:
    for call in (
        lambda: default_boundaries(np.array([], int)),
        lambda: default_boundaries(np.array([3, 0])),
        lambda: default_boundaries(np.array([3]), max_buckets=0),
        lambda: Buckets((), 2),
        lambda: Buckets((5, 4), 2),
        lambda: Buckets((5, 5), 2),
        lambda: Buckets((5,), 0),
        lambda: Buckets((5,), 2, max_steps=-1),
        lambda: Buckets((4,), 2).batches(np.array([5]), 0, 0),
        lambda: Buckets((5,), 2).batches(np.array([5]), -1, 0),
    ):
        with pytest.raises(ValueError, match=r"expected .*; got"):
            call()
