"""Who may use a run's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from train.engine.workdir import Workdir
from train.support.errors import UserError

CONFIG = {"train": {"model": "af-af", "seed": 0, "sizes": (1, 2)}, "dataset_sha256": "ab"}


def contents(path: Path) -> dict[str, tuple[bytes, int]]:
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in path.rglob("*") if p.is_file()}


def test_claims_an_empty_folder_and_comes_back(tmp_path: Path) -> None:
    workdir = Workdir(tmp_path / "a" / "b")
    workdir.claim(CONFIG)
    del workdir  # As the end of its process.
    again = Workdir(tmp_path / "a" / "b")
    again.claim(CONFIG)
    assert again.read_config() == {**CONFIG, "train": {**CONFIG["train"], "sizes": [1, 2]}}


def test_another_config_is_refused_by_field_and_changes_nothing(tmp_path: Path) -> None:
    workdir = Workdir(tmp_path)
    workdir.claim(CONFIG)
    del workdir
    before = contents(tmp_path)
    other = {"train": {**CONFIG["train"], "seed": 1}, "dataset_sha256": "ab"}
    for refuse in (Workdir(tmp_path).check, Workdir(tmp_path).claim):
        with pytest.raises(UserError, match="seed is 0, not 1.*--workdir"):
            refuse(other)
    with pytest.raises(UserError, match="dataset_sha256 is ab, not cd"):
        Workdir(tmp_path).check({"dataset_sha256": "cd"})
    assert contents(tmp_path) == before


def test_other_files_are_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    before = contents(tmp_path)
    with pytest.raises(UserError, match="thesis.tex"):
        Workdir(tmp_path).claim(CONFIG)
    assert contents(tmp_path) == before


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    for path in (file, file / "run"):
        with pytest.raises(UserError, match="is a file"):
            Workdir(path).claim(CONFIG)


def test_a_folder_that_cannot_be_made_is_refused() -> None:
    with pytest.raises(UserError, match="--workdir"):
        Workdir(Path("/proc/no/such")).claim(CONFIG)


def test_a_damaged_config_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"train": ')
    with pytest.raises(UserError, match="config.json"):
        Workdir(tmp_path).claim(CONFIG)


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    first = Workdir(tmp_path)
    first.claim(CONFIG)
    with pytest.raises(UserError, match="another process"):
        Workdir(tmp_path).claim(CONFIG)
    del first
    Workdir(tmp_path).claim(CONFIG)


def test_a_folder_without_a_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no run"):
        Workdir(tmp_path).read_config()
