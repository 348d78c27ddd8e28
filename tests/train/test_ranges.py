"""The first and the last value of each range, and what lies beyond."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest

from train.support import ranges


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("POSITIVE", [1e-9, 1e9], [0, -1, inf, nan]),
        ("NOT_NEGATIVE", [0, 1e9], [-1e-9, inf, nan]),
        ("ALL_POSITIVE", [(), (1e-9, 1e9)], [(1, 0), (1, inf), (nan,)]),
        ("ALL_FINITE", [(), (-1e9, 1e9)], [(1, inf), (nan,)]),
        ("AT_LEAST_1", [1, 1e9], [0.99, inf, nan]),
        ("TEMPERATURE", [0, 1000], [-1e-9, 1000.1, nan]),
        ("SHARE", [0, 1], [-1e-9, 1.01, nan]),
        ("WEIGHT", [1e-9, 1], [0, 1.01, nan]),
        ("SEED", [0, 2**31 - 1], [-1, 2**31]),
        ("PORT", [0, 65535], [-1, 65536]),
        ("STEPS_PER_BEAT", [1, 480], [0, 481]),
        ("TEMPO", [4, 1000], [3.9, 1000.1, nan]),
    ],
)
def test_range(name: str, inside: list[Any], outside: list[Any]) -> None:
    expected = getattr(ranges, name)
    assert [expected.holds(value) for value in inside] == [True] * len(inside)
    assert [expected.holds(value) for value in outside] == [False] * len(outside)
