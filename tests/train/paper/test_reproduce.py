"""Tables of the paper from one command, which survives being stopped; rows and flags."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.paths import environment
from tests.train.programs.text_runs import sentences
from train import reproduce
from train.data.tasks import TASKS, task_of
from train.paper.experiments import FIGURES, TABLES, Run
from train.paper.runs import Runs
from train.paper.scales import SCALES, flags_of
from train.settings.parsing import parse_train_config
from train.support.errors import UserError
from train.support.files import write_json


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as that of Penn Treebank, with other text in it."""
    folder, rng = tmp_path_factory.mktemp("ptb"), random.Random(0)
    for split, count in (("train", 150), ("valid", 20), ("test", 20)):
        (folder / f"{split}.txt").write_text("\n".join(sentences(rng, count)) + "\n")
    return folder


RUN = "lstm-ptb-tiny-0"


def start(data_dir: Path, out: Path) -> subprocess.Popen[str]:
    flags = ["table1", "--scale", "tiny", "--rows", "lstm", "--data-dir", str(data_dir)]
    return subprocess.Popen(
        [sys.executable, "-m", "train.reproduce", *flags, "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
        start_new_session=True,
    )


def wait_for_checkpoint(process: subprocess.Popen[str], workdir: Path, count: int) -> None:
    """Returns when a run, which must not have ended, has so many checkpoints."""
    deadline = time.monotonic() + 900  # A busy machine is no failure.
    while len(list((workdir / "checkpoints").glob("step-*"))) < count:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def numbers(out: Path) -> list[dict[str, Any]]:
    """The rows of the table without the times."""
    rows = json.loads((out / "table1-tiny.json").read_text())["rows"]
    for row in rows:
        if row["results"]:
            for name in ("wall_seconds", "resumed_from_steps", "peak_memory_gib"):
                del row["results"]["train"][name]
    return rows


@pytest.mark.nightly
def test_interrupted_twice_it_gives_the_table_of_the_undisturbed_run(
    data_dir: Path, tmp_path: Path
) -> None:
    undisturbed, out = tmp_path / "undisturbed", tmp_path / "interrupted"
    process = start(data_dir, undisturbed)
    assert process.wait() == 0, process.stdout.read()

    process = start(data_dir, out)
    wait_for_checkpoint(process, out / RUN, 1)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process = start(data_dir, out)
    wait_for_checkpoint(process, out / RUN, 2)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 128 + signal.SIGTERM
    assert not (out / RUN / "results.json").exists()
    process = start(data_dir, out)  # The training that was under way has let go of its folder.
    assert process.wait() == 0, process.stdout.read()

    assert numbers(out) == numbers(undisturbed)
    table = (out / "table1-tiny.md").read_text()
    results = json.loads((out / RUN / "results.json").read_text())
    # A training that was over when the signal came is not resumed.
    assert len(results["train"]["resumed_from_steps"]) in (1, 2)
    assert f"| `lstm` | 0 | {results['test']['bpc']:.3f} |" in table
    assert "| AWD-LSTM (Merity et al., 2018) |  |  | cited |" in table
    assert "| AF / SCF | `af-scf` |  | not run |" in table
    assert (out / "table1-tiny.png").read_bytes().startswith(b"\x89PNG")


def all_runs() -> list[Run]:
    tables = [row.run for table in TABLES.values() for row in table.rows if row.run is not None]
    return [*tables, *(run for figure in FIGURES.values() for run in figure.runs)]


def test_every_run_has_flags_that_its_program_takes() -> None:
    # The scales in turn: what a scale adds to the flags is the same for every run.
    for run, (scale, preset) in zip(all_runs(), itertools.cycle(SCALES.items()), strict=False):
        config = parse_train_config(task_of(run.dataset), flags_of(run, scale))
        assert (config.model, config.dataset, config.preset) == (run.model, run.dataset, preset)
    with pytest.raises(ValueError, match="scale"):
        flags_of(all_runs()[0], "huge")


def test_runs_of_one_name_are_one_run() -> None:
    for run in all_runs():
        for other in all_runs():
            same = (run.name, run.dataset) == (other.name, other.dataset)
            assert (run == other) == same


RESULTS = {"test": {"bpc": 2.0}, "train": {}, "samples": {}}


def test_a_test_of_its_own_is_that_of_the_same_training(tmp_path: Path) -> None:
    runs = Runs(tmp_path, "tiny", None)
    plain, own = Run("af-af", "ptb", "af-af"), Run("af-af-k100", "ptb", "af-af", samples=100)
    assert runs.workdir(own, 3).path == runs.workdir(plain, 3).path == tmp_path / "af-af-ptb-tiny-3"
    for seed in (3, 11):
        workdir = runs.workdir(plain, seed)
        workdir.path.mkdir()
        write_json(workdir.config_file, {"train": {"dataset": "ptb"}})
        write_json(workdir.results_file, RESULTS)
    (tmp_path / "af-af-ptb-tiny-old").mkdir()
    assert (list(runs.finished(plain)), runs.finished(own)) == ([3, 11], {})
    write_json(runs.workdir(own, 3).path / "test-100-samples.json", {"bpc": 1.5})
    assert runs.results(own, 3) == {**RESULTS, "test": {"bpc": 1.5}}
    assert runs.results(plain, 3) == RESULTS
    assert list(runs.finished(own)) == [3]
    runs.make(own, 3)  # Nothing is left to do.


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("dataset", "t.txt", "dataset is t.txt, not ptb"),
        ("seed", 4, "seed is 4, not 3"),
        ("hidden_size", 7, "hidden_size is 7, not None"),
    ],
)
def test_another_run_is_not_a_row(tmp_path: Path, field: str, value: Any, message: str) -> None:
    runs, run = Runs(tmp_path, "tiny", None), Run("af-af", "ptb", "af-af")
    workdir = runs.workdir(run, 3)
    workdir.path.mkdir()
    settings = parse_train_config(TASKS["text"], [*flags_of(run, "tiny"), "--seed", "3"]).to_dict()
    write_json(workdir.results_file, RESULTS)
    # One of an earlier version lacks the fields that are new.
    for there in (settings, {"dataset": "ptb", "data_dir": "elsewhere"}):
        write_json(workdir.config_file, {"train": there})
        assert runs.results(run, 3) == RESULTS
    write_json(workdir.config_file, {"train": {**settings, field: value}})
    with pytest.raises(UserError, match=f"than af-af at scale tiny .{message}.: move"):
        runs.results(run, 3)
    with pytest.raises(UserError, match="than af-af at scale tiny"):
        runs.make(run, 3)  # A figure would be drawn from it.
    workdir.config_file.unlink()
    with pytest.raises(UserError, match="has results and no config.json: move the folder away"):
        runs.results(run, 3)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["table1", "--rows", "gru"], "--rows expects some of lstm, .*; got 'gru'"),
        (["table1", "--datasets", "jsb"], "--datasets expects some of ptb; got 'jsb'"),
        (["figure3", "--rows", "lstm"], "--rows is for tables"),
        (["table1", "--seeds", "-1"], "--seeds expects whole numbers"),
    ],
)
def test_bad_flags_are_refused(flags: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        reproduce.main([*flags, "--out", str(tmp_path)])
    assert not any(tmp_path.iterdir())
