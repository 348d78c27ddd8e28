"""Piano rolls: as notes, packed, and split by their content."""

from __future__ import annotations

import numpy as np
import pytest

from tests.music_files import random_rolls
from train.data.music.rolls import notes_of, pack_roll, roll_of, unpack_roll
from train.data.splits import SPLITS, split_digests, split_of, split_rolls


def test_notes_and_rolls_are_inverse():
    for roll in random_rolls(20):
        notes = notes_of(roll)
        np.testing.assert_array_equal(roll_of(notes, len(roll)), roll)
        starts = roll & ~np.pad(roll, ((1, 0), (0, 0)))[:-1]
        assert len(notes) == starts.sum()  # Held notes are one.
    assert notes_of(roll_of([(60, 0, 3), (60, 1, 2), (60, 2, 4)], 4)) == [(60, 0, 4)]


def test_packed_rolls():
    roll = np.random.default_rng(0).integers(0, 2, [7, 88], np.uint8)
    packed = pack_roll(roll)
    assert len(packed) == 77
    np.testing.assert_array_equal(unpack_roll(packed), roll)
    assert unpack_roll(b"").shape == (0, 88)
    for wrong in (roll[0], roll[:, :87], roll * 2):
        with pytest.raises(ValueError, match="expected a roll"):
            pack_roll(wrong)
    with pytest.raises(ValueError, match="multiple of 11"):
        unpack_roll(b"x")


def test_splits_go_by_content():
    rolls = random_rolls(400)
    splits = split_rolls(rolls)
    for split in SPLITS:
        assert all(split_of(roll.tobytes()) == split for roll in splits[split])
    assert sum(map(len, splits.values())) == len({roll.tobytes() for roll in rolls})
    assert 20 <= len(splits["valid"]) <= 60 and 20 <= len(splits["test"]) <= 60


def test_the_splits_are_those_of_earlier_versions():
    first = {split_of(str(i).encode()): i for i in reversed(range(20))}
    assert first == {"test": 0, "train": 1, "valid": 14}


def test_an_empty_split_gets_a_piece_of_the_largest():
    two, *others = (number.to_bytes(8, "big") for number in (2, 20, 10, 30))  # Numbers modulo 10.
    splits = split_digests([two, *others])
    assert splits == {"train": [two], "valid": [others[1]], "test": [others[0], others[2]]}


@pytest.mark.parametrize("number", [3, 4, 7])
def test_few_pieces_leave_no_split_empty_in_any_order(number):
    rolls = random_rolls(number, seed=number)
    splits = split_rolls(rolls)
    assert all(splits.values()) and sum(map(len, splits.values())) == number
    contents = {split: {roll.tobytes() for roll in splits[split]} for split in SPLITS}
    again = split_rolls(rolls[::-1] + rolls)
    assert contents == {split: {roll.tobytes() for roll in again[split]} for split in SPLITS}


def test_three_different_pieces_are_needed():
    rolls = random_rolls(2)
    with pytest.raises(ValueError, match="at least 3 different rolls; got 2"):
        split_rolls(rolls + rolls)
