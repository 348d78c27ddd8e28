"""The architecture: CONTRIBUTING.md shows what `lint-imports` enforces."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.structure import PACKAGES, entries, inner_imports, python_files

# Packages of extras, and parts of Python and JAX that some installations lack.
OPTIONAL = ("jax", "matplotlib", "mido", "music21", "pydoc_data", "rich", "scipy")
MOST_ENTRIES = 16
MOST_LINES = 300


def contracts() -> list[dict]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return settings["tool"]["importlinter"]["contracts"]


def layers(name: str) -> list[set[str]]:
    """The layers of a package, from the top down."""
    (found,) = (c["layers"] for c in contracts() if c["name"] == name)
    return [set(floor.split(" | ")) for floor in found]


def diagram() -> dict[str, list[set[str]]]:
    """The layers in CONTRIBUTING.md's picture, by package; those of the packages under ''."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    floors: dict[str, list[set[str]]] = {"": []}
    for line in block.splitlines():
        if not line.strip():
            continue
        names = set(re.split(r"\s{2,}", line.strip())[0].split(", "))
        if not line.startswith(" "):
            (package,) = names
            floors[""].append({package})
            floors[package] = []
        else:
            floors[package].append(names)
    return floors


def test_the_diagram_is_what_ci_holds() -> None:
    drawn = diagram()
    assert drawn.pop("") == layers("packages")
    assert set(drawn) == set(PACKAGES)
    for package, floors in drawn.items():
        assert floors == layers(package)


def test_every_import_runs_one_way() -> None:
    done = subprocess.run(
        ["lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert f"{len(contracts())} kept, 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("bijectors/axes.py", "import tf_latentflow"),
        ("train/support/units.py", "import train.engine.sums"),
        ("train/engine/sums.py", "import tensorflow"),
        ("train/data/splits.py", "def late():\n    from train.data import tasks"),
    ],
)
def test_an_import_that_runs_back_is_found(tmp_path: Path, file: str, line: str) -> None:
    for package in PACKAGES:
        for source in python_files(package):
            target = tmp_path / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    with open(tmp_path / file, "a", encoding="utf-8") as source:
        source.write(f"\n\n{line}\n")
    done = subprocess.run(
        ["lint-imports", "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout


def test_floors_are_not_crowded() -> None:
    assert {folder: n for folder, n in entries().items() if n > MOST_ENTRIES} == {}


def test_files_hold_one_idea() -> None:
    files = [file for package in PACKAGES for file in python_files(package)]
    lines = {f.relative_to(ROOT): len(f.read_text(encoding="utf-8").splitlines()) for f in files}
    assert {file: n for file, n in lines.items() if n > MOST_LINES} == {}


def test_imports_inside_functions_have_a_reason() -> None:
    """An extra may be missing, or a flag must be refused before TensorFlow is loaded."""
    for found in inner_imports():
        file = Path(found.file)
        program = file.parent.name in ("train", "export", "runs") or file.name == "__main__.py"
        allowed = (
            (program and found.after_flags)
            or all(module.split(".")[0] in OPTIONAL for module in found.modules)
            or found.file in ("train/support/startup.py", "export/bundle/run_bundle.py")
        )
        assert allowed, found


@pytest.mark.parametrize(
    "program",
    [
        *("train.char_lm", "train.polyphonic_music", "train.evaluate", "train.sample"),
        *("train.score", "train.curves", "train.reproduce", "train.benchmark.__main__"),
        *("export.saved_model", "export.serve"),
        *("export.client", "export.load_test", "export.train_program", "export.import_weights"),
        "export.pretrained",
    ],
)
def test_a_program_reads_its_flags_without_tensorflow(program: str) -> None:
    code = f"import sys, {program}; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
