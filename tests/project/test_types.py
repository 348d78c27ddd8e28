"""The types of the two libraries, as `nox -s types` checks them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.bijectors.scalar.maps import file_of_the_page
from tests.paths import ROOT


def test_the_libraries_have_the_types_that_they_state(tmp_path: Path) -> None:
    page = tmp_path / "tails.py"  # A newcomer's file, to which the check applies too.
    page.write_text(file_of_the_page(), encoding="utf-8")
    libraries = ("bijectors", "tf_latentflow")
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path), *libraries, str(page)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
