"""What an sdist holds: all of the repository, and tests that run where it is unpacked."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.paths import ROOT

BUILD = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
MADE = ("PKG-INFO", "setup.cfg")  # By setuptools, beside a folder `*.egg-info`.


def source_files() -> set[str]:
    """What git has or would add; in an unpacked sdist, which is no git's, whatever is there."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return {name for name in listed.stdout.split("\0") if (ROOT / name).is_file()}
    files = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return {str(path) for path in files if not is_made(path)}


def is_made(path: Path) -> bool:
    caches = ("__pycache__", ".pytest_cache", ".ruff_cache")
    return (
        str(path) in MADE
        or path.parts[0].endswith(".egg-info")
        or any(part in caches for part in path.parts)
    )


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An sdist, built where nothing was built before, and unpacked."""
    folder = tmp_path_factory.mktemp("sdist")
    for name in source_files():
        target = folder / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
        target.chmod((ROOT / name).stat().st_mode)
    subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)],
        cwd=folder / "source",
        capture_output=True,
        check=True,
    )
    (file,) = folder.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        archive.extractall(folder)
    return folder / file.name.removesuffix(".tar.gz")


def test_an_sdist_has_every_file_of_the_repository(unpacked: Path) -> None:
    files = (path.relative_to(unpacked) for path in unpacked.rglob("*") if path.is_file())
    assert {str(path) for path in files if not is_made(path)} == source_files()
    assert (unpacked / ".ci" / "run").stat().st_mode & 0o111


@pytest.mark.nightly
def test_the_tests_of_an_unpacked_sdist_run(unpacked: Path) -> None:
    names = ("project/test_sdist", "train/data/test_midi", "bijectors/test_citizens")
    files = [f"tests/{name}.py" for name in names]
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", *files]
    done = subprocess.run(command, cwd=unpacked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
