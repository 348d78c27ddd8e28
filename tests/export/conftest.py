"""Exported models, each written once, whichever of the processes asks for it first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.export.kinds import KINDS
from tests.exported import export_tiny
from tests.made_once import MadeOnce


@pytest.fixture(scope="session")
def folders(made_once: MadeOnce) -> Callable[[str], Path]:
    """The folder of a kind."""

    def folder(kind: str) -> Path:
        name, overrides = KINDS[kind]
        base = made_once(f"saved_models/{kind}", lambda base: export_tiny(base, name, **overrides))
        return base / "1"

    return folder
