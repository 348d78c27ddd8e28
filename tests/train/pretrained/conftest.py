"""A pretrained model of the tests in this folder, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from export import pretrained as ship
from tests.train.pretrained.runs import ABOUT, CARD_FLAGS, LINES, finish_a_run
from tf_latentflow.pretrained import names
from train.data.text.config import TextConfig


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a text, a run on it, a file about it, and the model that it becomes."""
    folder = tmp_path_factory.mktemp("pretrained")
    (folder / "cats.txt").write_text("\n".join(LINES) + "\n", encoding="utf-8")
    (folder / "about.toml").write_text(ABOUT, encoding="utf-8-sig")  # As some editors do.
    finish_a_run(folder / "run", TextConfig, folder / "cats.txt")
    main = ["--name", "cats", "--out", str(folder / "models")]
    ship.main([str(folder / "run"), *main, "--about", str(folder / "about.toml"), *CARD_FLAGS])
    return folder


@pytest.fixture
def named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model as one that comes with the package; the text is in the current folder."""
    monkeypatch.setattr(names, "_MODELS", folder / "models")
    monkeypatch.chdir(folder)
    return folder / "models" / "cats"
