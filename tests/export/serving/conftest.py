"""Requests that are held at work."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from export.serving.servable import Servable
from tests.export.serving.asked import Held
from tests.served import PATIENCE


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    held = Held()
    predict = Servable.predict

    def wait(servable, signature_name, inputs, *more):
        if signature_name == "slow":
            held.begun += 1
            held.go_on.wait(PATIENCE)
            inputs = {"steps": np.int64([1])}
        return predict(servable, signature_name, inputs, *more)

    monkeypatch.setattr(Servable, "predict", wait)
    yield held
    held.go_on.set()
