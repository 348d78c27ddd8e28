"""The environment in which the programs import TensorFlow."""

from __future__ import annotations

import os

import pytest

from train.support.startup import import_tensorflow_quietly


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (None, "--xla_cpu_use_fusion_emitters=false"),
        ("--xla_dump_to=a", "--xla_dump_to=a --xla_cpu_use_fusion_emitters=false"),
        ("--xla_cpu_use_fusion_emitters=true", "--xla_cpu_use_fusion_emitters=true"),
    ],
)
def test_flags_of_the_user_are_kept(
    monkeypatch: pytest.MonkeyPatch, flags: str | None, expected: str
) -> None:
    monkeypatch.setenv("XLA_FLAGS", flags or "")
    if flags is None:
        monkeypatch.delenv("XLA_FLAGS")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")  # So that nothing is imported here.
    import_tensorflow_quietly()
    assert os.environ["XLA_FLAGS"] == expected
