"""The notebooks of the site: they run, and what is stored is small and whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.notebooks import NOTEBOOKS, run_notebook

MOST_BYTES = 300_000
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@every_notebook
def test_stored_with_outputs_and_small(path: Path) -> None:
    assert path.stat().st_size < MOST_BYTES
    cells = [c for c in json.loads(path.read_text(encoding="utf-8"))["cells"] if "outputs" in c]
    assert any(cell["outputs"] for cell in cells)
    assert not [o for c in cells for o in c["outputs"] if o["output_type"] == "error"]


@every_notebook
@pytest.mark.nightly
def test_runs(path: Path, tmp_path: Path) -> None:
    run_notebook(path, tmp_path)
