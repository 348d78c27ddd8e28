"""Which exports of a pretrained model are kept apart."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import tensorflow as tf

from export.saving import cached_export
from tf_latentflow import ModelConfig


def test_an_export_belongs_to_its_weights_configuration_code_and_tensorflow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def digest(weights: str = "ab", seen: int = 9) -> str:
        model = ModelConfig.from_name("af-only", max_length=seen)
        return cached_export._digest(SimpleNamespace(weights_sha256=weights, model=model))

    digests = [digest(), digest("cd"), digest(seen=8)]
    with monkeypatch.context() as patch:
        patch.setattr(tf, "__version__", "0.0")
        digests.append(digest())
    monkeypatch.setattr(cached_export, "sha256_of_code", lambda *packages: "other code")
    digests.append(digest())
    assert len(set(digests)) == 5
