"""A disk that fills up while a run trains: one line, and the same weights once it is larger."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import ROOT, environment
from tests.train.programs.text_runs import sentences

FLAGS = (
    *("--preset", "tiny", "--max-steps", "12", "--checkpoint-steps", "2", "--log-steps", "2"),
    *("--eval-every", "6", "--kl-zero", "1", "--kl-ramp", "2", "--test-samples", "1"),
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "animals.txt"
    path.write_text("\n".join(sentences(random.Random(0), 200)))
    return path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own; only the superuser can make one."""
    path = tmp_path / "disk"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", path], check=True)
    yield path
    subprocess.run(["umount", path], check=True)


def train(dataset: Path, workdir: Path) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "train.char_lm", "--dataset", str(dataset)]
    return subprocess.run(
        [*program, "--workdir", str(workdir), *FLAGS],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(TF_NUM_INTRAOP_THREADS="1"),
        check=False,
    )


def weights(workdir: Path) -> str:
    return json.loads((workdir / "results.json").read_text())["train"]["weights_sha256"]


@pytest.mark.nightly
@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can make a small disk")
def test_it_goes_on_once_the_disk_is_larger(
    dataset: Path, small_disk: Path, tmp_path: Path
) -> None:
    assert train(dataset, tmp_path / "undisturbed").returncode == 0
    workdir = small_disk / "run"
    stops = 0
    for size in (2_000, 4_000, 30_000, 60_000):
        done = train(dataset, workdir)
        if done.returncode == 0:
            break
        stops += 1
        assert done.returncode == 2, done.stderr
        assert done.stderr.count("\n") == 1 and "No space left on device" in done.stderr
        whole = [
            p for p in (workdir / "checkpoints").glob("step-*") if (p / "sha256.json").exists()
        ]
        assert len(whole) == len(list((workdir / "checkpoints").glob("step-*")))
        subprocess.run(["mount", "-o", f"remount,size={size}k", small_disk], check=True)
    assert stops >= 2
    assert weights(workdir) == weights(tmp_path / "undisturbed")
    assert not list(workdir.rglob(".tmp-*"))


@pytest.mark.nightly
@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can make a small disk")
def test_a_preparation_goes_on_once_the_disk_is_larger(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "large.txt"
    path.write_text("\n".join(f"{i} {'some words ' * 25}" for i in range(260_000)))
    monkeypatch.setenv("XDG_CACHE_HOME", str(small_disk))
    subprocess.run(["mount", "-o", "remount,size=70m", small_disk], check=True)
    done = train(path, tmp_path / "run")
    said, *progress = done.stderr.splitlines()[::-1]
    assert done.returncode == 2 and not (tmp_path / "run").exists()
    assert said.startswith("error: cannot keep the prepared data") and "No space left" in said
    assert "preparing" in progress
    subprocess.run(["mount", "-o", "remount,size=200m", small_disk], check=True)
    again = load(path)
    assert "resuming the preparation" in again.stderr
    # At another place it is read into memory.
    assert again.stdout == load(path.rename(tmp_path / "moved.txt"), 10**9).stdout


_LOAD = """
import sys
from train.data.text.corpus import load_corpus

print(load_corpus(sys.argv[1], most_in_memory=int(sys.argv[2])).sha256)
"""


def load(path: Path, most_in_memory: int = 0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _LOAD, str(path), str(most_in_memory)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
