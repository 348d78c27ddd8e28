"""Models to serve, each written once, whichever of the processes asks for it first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from export.serving.local_server import LocalServer
from tests.export.kinds import KINDS
from tests.exported import export_tiny
from tests.local_servers import running
from tests.made_once import MadeOnce
from tests.served_model import write_model


@pytest.fixture(scope="session")
def folders(made_once: MadeOnce) -> Callable[[str], Path]:
    """The folder of a kind of exported model."""

    def folder(kind: str) -> Path:
        name, overrides = KINDS[kind]
        base = made_once(f"saved_models/{kind}", lambda base: export_tiny(base, name, **overrides))
        return base / "1"

    return folder


@pytest.fixture(scope="session")
def model(made_once: MadeOnce) -> Path:
    """The folder of the model `cases`, whose answers are known."""
    return made_once("served/cases", write_model)


@pytest.fixture(scope="module")
def server(model: Path) -> Iterator[LocalServer]:
    with running(model) as server:
        yield server
