"""Exported models in a session, each loaded once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.exported import Served


@pytest.fixture(scope="package")
def served(folders: Callable[[str], Path]) -> Callable[[str], Served]:
    there: dict[str, Served] = {}

    def load(kind: str) -> Served:
        if kind not in there:
            there[kind] = Served(folders(kind))
        return there[kind]

    return load
