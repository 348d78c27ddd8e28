"""Who may use a run's folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.workdirs import CONFIG, contents
from train.engine.workdir import FORMAT, Workdir
from train.support.errors import UserError
from train.support.files import read_json, whole_file, write_json


def test_claims_an_empty_folder_and_comes_back(tmp_path: Path) -> None:
    workdir = Workdir(tmp_path / "a" / "b")
    workdir.claim(CONFIG)
    del workdir  # As the end of its process.
    again = Workdir(tmp_path / "a" / "b")
    again.claim(CONFIG)
    train = {**CONFIG["train"], "sizes": [1, 2]}
    assert again.read_config() == {**CONFIG, "train": train, "format": FORMAT}


def test_another_config_is_refused_by_field_and_changes_nothing(tmp_path: Path) -> None:
    workdir = Workdir(tmp_path)
    workdir.claim(CONFIG)
    del workdir
    before = contents(tmp_path)
    other = {"train": {**CONFIG["train"], "seed": 1}, "dataset_sha256": "ab"}
    for refuse in (Workdir(tmp_path).check, Workdir(tmp_path).claim):
        with pytest.raises(UserError, match="seed is 0, not 1.*--workdir"):
            refuse(other)
    with pytest.raises(UserError, match="seed is 0, not '0'"):
        Workdir(tmp_path).check({"train": {**CONFIG["train"], "seed": "0"}})
    with pytest.raises(UserError, match="task is None, not music"):  # It has other fields.
        Workdir(tmp_path).check({"task": "music", "train": {"seed": 0}})
    with pytest.raises(UserError, match="other data, or they have changed"):
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
    with pytest.raises(ValueError), Workdir(tmp_path).claim(CONFIG):
        raise ValueError
    Workdir(tmp_path).claim(CONFIG)


def test_a_run_that_has_begun_meanwhile_is_refused(tmp_path: Path) -> None:
    class Slow(Workdir):
        def check(self, settings: Mapping[str, Any], writing: bool = True) -> None:
            super().check(settings, writing)
            if not self.config_file.exists():
                other = {**CONFIG, "train": {**CONFIG["train"], "seed": 1}}
                write_json(self.config_file, {"format": FORMAT, **other})

    with pytest.raises(UserError, match="seed is 1, not 0"):
        Slow(tmp_path).claim(CONFIG)


def test_a_folder_without_a_run_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file"):
        with pytest.raises(UserError, match="holds no run: give the folder of one"):
            Workdir(path).read_config()


def finished(path: Path, steps: int = 5) -> None:
    """A run that has ended after some steps."""
    Workdir(path).claim(LIMITED)
    results = {"test": {}, "train": {"steps": steps}, "samples": {}}
    write_json(path / "results.json", results)
    (path / "model.keras").write_bytes(b"first end")


PLACES = {"dataset": "/a/x.txt", "data_dir": "/a", "init_from": "/models/a"}
LIMITED = {"train": {"max_steps": 5, "epochs": None, "seed": 0, **PLACES}, "dataset_sha256": "ab"}
LONGER = {**LIMITED, "train": {**LIMITED["train"], "max_steps": 9}}


def test_where_the_data_are_is_no_setting(tmp_path: Path) -> None:
    Workdir(tmp_path).claim(LIMITED)
    moved = {**LIMITED, "train": {**LIMITED["train"], **dict.fromkeys(PLACES, "/b")}}
    Workdir(tmp_path).claim(moved)
    with pytest.raises(UserError, match="other data, or they have changed"):
        Workdir(tmp_path).claim({**moved, "dataset_sha256": "cd"})


def test_a_finished_run_can_be_given_more_steps(tmp_path: Path) -> None:
    finished(tmp_path)
    workdir = Workdir(tmp_path)
    workdir.check(LONGER)
    assert workdir.is_extended_by(LONGER) and not workdir.is_extended_by(LIMITED)
    workdir.claim(LONGER)
    assert workdir.read_config()["train"]["max_steps"] == 9
    assert not workdir.results_file.exists()
    assert read_json(tmp_path / "results-5.json")["train"]["steps"] == 5
    assert (tmp_path / "model-5.keras").read_bytes() == b"first end"


def test_an_extension_that_was_cut_short_goes_on(tmp_path: Path) -> None:
    finished(tmp_path)
    os.replace(tmp_path / "results.json", tmp_path / "results-5.json")  # And then it was killed.
    workdir = Workdir(tmp_path)
    workdir.claim(LONGER)
    assert workdir.read_config()["train"]["max_steps"] == 9


def test_fewer_steps_and_an_unfinished_run_are_refused(tmp_path: Path) -> None:
    Workdir(tmp_path / "open").claim(LIMITED)
    with pytest.raises(UserError, match="max_steps is 5, not 9"):
        Workdir(tmp_path / "open").check(LONGER)
    finished(tmp_path / "over")
    for name, there, asked in (("max_steps", 5, 4), ("seed", 0, 1)):
        with pytest.raises(UserError, match=f"{name} is {there}, not {asked}"):
            train = {**LIMITED["train"], name: asked}
            Workdir(tmp_path / "over").check({**LIMITED, "train": train})


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    )
    with whole_file(tmp_path / "x") as temporary:
        temporary.touch()
    (tmp_path / "x").unlink()
    place = temporary.name.split("-")[1]
    gone, running = f"{place}-{int(process.stdout)}", f"{place}-{os.getppid()}"
    elsewhere = f"0123-{int(process.stdout)}"  # It may run there.
    Workdir(tmp_path).claim(CONFIG)
    folders = (tmp_path, *(tmp_path / name for name in ("checkpoints", "samples", "tensorboard")))
    for folder in folders:
        (folder / f".tmp-{gone}-step-000000002").mkdir(parents=True)
        (folder / f".tmp-{gone}-model.keras").write_bytes(b"half")
        for process_name in (running, elsewhere):
            (folder / f".tmp-{process_name}-results.json").write_bytes(b"being written")
    Workdir(tmp_path).claim(CONFIG)
    for folder in folders:
        left = {path.name for path in folder.glob(".tmp-*")}
        assert left == {f".tmp-{running}-results.json", f".tmp-{elsewhere}-results.json"}
        os.utime(folder / f".tmp-{elsewhere}-results.json", (0, 0))
    Workdir(tmp_path).claim(CONFIG)
    for folder in folders:
        left = {path.name for path in folder.glob(".tmp-*")}
        assert left == {f".tmp-{running}-results.json"}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b'{"test": {}, "train": {}}'])
def test_damaged_results_are_one_line(tmp_path: Path, content: bytes) -> None:
    Workdir(tmp_path).results_file.write_bytes(content)
    with pytest.raises(UserError, match="results.json.*delete it"):
        Workdir(tmp_path).read_results()


INTERVALS = {"seed": 0, "max_steps": 10, "checkpoint_steps": 100, "log_steps": 20}


def with_intervals(**changes: int) -> dict[str, object]:
    return {"train": {**INTERVALS, **changes}}


def test_other_intervals_are_taken_over(tmp_path: Path) -> None:
    Workdir(tmp_path).claim(with_intervals())
    Workdir(tmp_path).check(with_intervals(checkpoint_steps=5, log_steps=1))
    Workdir(tmp_path).claim(with_intervals(checkpoint_steps=5))
    assert Workdir(tmp_path).read_config()["train"] == {**INTERVALS, "checkpoint_steps": 5}


def test_other_intervals_do_not_make_a_finished_run_go_on(tmp_path: Path) -> None:
    workdir = Workdir(tmp_path)
    workdir.claim(with_intervals())
    workdir.results_file.write_text("{}")
    workdir.check(with_intervals(log_steps=1), writing=False)
    assert not workdir.is_extended_by(with_intervals(log_steps=1))
    assert workdir.is_extended_by(with_intervals(log_steps=1, max_steps=20))
    workdir.claim(with_intervals(log_steps=1))
    assert workdir.results_file.exists()
