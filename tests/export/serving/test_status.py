"""What clients are told of an error."""

from __future__ import annotations

import pytest

from export.serving.status import invalid, message_of


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("too long\n\nOriginal stack trace for 'x':\n  File", "too long"),
        ("x" * 5000, "x" * 1024),  # What fits into gRPC's metadata.
        ("half \ud83d of a pair", "half ? of a pair"),
    ],
)
def test_a_message_fits_and_can_be_encoded(message: str, told: str) -> None:
    assert message_of(invalid(message)) == told
