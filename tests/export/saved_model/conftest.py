"""Exported models, each written once, whichever of the processes asks for it first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from tests.export.saved_model.kinds import KINDS
from tests.exported import Served, export_tiny


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[[str], Path]:
    """The folder of a kind. The processes of `pytest -n` share it."""
    base = tmp_path_factory.getbasetemp()
    models = (base if worker_id == "master" else base.parent) / "saved_models"
    models.mkdir(exist_ok=True)

    def folder(kind: str) -> Path:
        name, overrides = KINDS[kind]
        with FileLock(models / f"{kind}.lock"):
            path = models / kind / "1"
            return path if path.exists() else export_tiny(models / kind, name, **overrides)

    return folder


@pytest.fixture(scope="package")
def served(folders: Callable[[str], Path]) -> Callable[[str], Served]:
    there: dict[str, Served] = {}

    def load(kind: str) -> Served:
        if kind not in there:
            there[kind] = Served(folders(kind))
        return there[kind]

    return load
