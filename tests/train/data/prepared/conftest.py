"""The cache of the tests in this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from train.data.text import preparing


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of prepared data; text is read in small blocks here."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(preparing, "BLOCK_BYTES", 100)
    return tmp_path / "cache" / "tf_latentflow" / "prepared"
