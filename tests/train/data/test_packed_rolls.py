from __future__ import annotations

import numpy as np
import pytest

from train.data.music.rolls import pack_roll, unpack_roll


def test_packed_rolls() -> None:
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
