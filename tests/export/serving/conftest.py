"""The model of the servers in this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.made_once import MadeOnce
from tests.served_model import write_model


@pytest.fixture(scope="session")
def model(made_once: MadeOnce) -> Path:
    return made_once("served/cases", write_model)
