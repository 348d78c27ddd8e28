from __future__ import annotations

import base64
import doctest

import numpy as np
import pytest

from export.saving import packed_rolls


def test_packed_rolls() -> None:
    assert doctest.testmod(packed_rolls).failed == 0
    roll = np.random.default_rng(0).integers(0, 2, [7, 88], np.uint8)
    packed = packed_rolls.pack_roll(roll)
    assert len(base64.b64encode(packed)) and len(packed) == 77
    np.testing.assert_array_equal(packed_rolls.unpack_roll(packed), roll)
    assert packed_rolls.unpack_roll(b"").shape == (0, 88)
    for wrong in (roll[0], roll[:, :87], roll * 2):
        with pytest.raises(ValueError, match="expected a roll"):
            packed_rolls.pack_roll(wrong)
    with pytest.raises(ValueError, match="multiple of 11"):
        packed_rolls.unpack_roll(b"x")
