"""Training pieces in other keys."""

from __future__ import annotations

import numpy as np
import pytest

from train.data.music.config import MusicConfig
from train.data.music.transposition import transposed
from train.engine.buckets import default_boundaries
from train.engine.order import TrainingOrder


def roll_of(*notes: int) -> np.ndarray:
    """A piece of three steps: all notes at once, then none, then the lowest."""
    roll = np.zeros([3, 88], np.uint8)
    roll[0, list(notes)] = roll[2, min(notes)] = 1
    return roll


def shifts_of(roll: np.ndarray, semitones: int, times: int = 300) -> list[int]:
    """How far a piece is moved in each of many epochs; that it is moved whole is checked."""
    shifts = []
    for epoch in range(times):
        moved = transposed(roll, epoch, 7, semitones=semitones, seed=1)
        shifts.append(int(np.flatnonzero(moved[2])[0] - np.flatnonzero(roll[2])[0]))
        np.testing.assert_array_equal(moved, np.roll(roll, shifts[-1], axis=1))
    return shifts


def test_every_interval_occurs_about_as_often() -> None:
    values, counts = np.unique(shifts_of(roll_of(40, 44, 47), 5), return_counts=True)
    np.testing.assert_array_equal(values, np.arange(-5, 6))
    assert counts.min() > 10


@pytest.mark.parametrize(
    ("notes", "expected"), [((1, 40), range(-1, 12)), ((40, 86), range(-11, 2)), ((0, 87), [0])]
)
def test_no_note_leaves_the_keyboard(notes: tuple[int, ...], expected: range | list[int]) -> None:
    values, counts = np.unique(shifts_of(roll_of(*notes), 11), return_counts=True)
    np.testing.assert_array_equal(values, expected)
    assert len(values) == 1 or counts.max() < 60  # An octave less, and not the same key.


def test_silence_stays_silent() -> None:
    nothing = np.zeros([4, 88], np.uint8)
    assert not transposed(nothing, 0, 0, semitones=5, seed=0).any()


def test_a_run_reads_its_pieces_in_other_keys_and_the_same_after_a_restart() -> None:
    pieces = [roll_of(40 + i, 52 + i) for i in range(6)]

    def read(transpose: int, seed: int = 0) -> np.ndarray:
        config = MusicConfig.from_preset("tiny", batch_size=2, transpose=transpose, seed=seed)
        order = TrainingOrder(config, pieces, default_boundaries([3]), vary=config.vary)
        calls = [order.call_at(step, 1) for step in range(12)]
        batches = [batch for call in calls for batch in call.steps[0]]
        assert sorted(np.concatenate([b.index for b in batches[:3]])) == list(range(6))
        keys = np.zeros([4, 6], int)  # By epoch and piece.
        for number, batch in enumerate(batches):
            keys[number // 3, batch.index] = batch.x[:, 2].argmax(axis=-1) - 40 - batch.index
        return keys

    assert not read(0).any()
    keys = read(3)
    assert np.abs(keys).max() == 3 and len(np.unique(keys)) > 4
    assert np.ptp(keys, axis=0).all()  # Each piece has other keys in other epochs.
    np.testing.assert_array_equal(keys, read(3))
    assert (keys != read(3, seed=1)).any()
