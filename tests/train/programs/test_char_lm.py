"""A run on text: trained, killed and resumed, in two workers, evaluated, and sampled from."""

from __future__ import annotations

import json
import math
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.tensorboard import scalar_steps, scalars
from tests.train.programs.refusals import refusal
from tests.train.programs.text_runs import (
    RUN,
    flags_of,
    kill_after,
    resumed_run,
    start_run,
    write_sentences,
)
from tests.workdirs import contents
from tests.worker_processes import start_by_variable, wait_for_step
from train import char_lm, evaluate, sample
from train.backend.event_files import SECONDS
from train.engine.progress import Progress
from train.support.errors import UserError


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sentences(tmp_path_factory.mktemp("data") / "animals.txt")


@pytest.fixture(scope="module")
def finished(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """An undisturbed run: its folder and its standard output."""
    workdir = tmp_path_factory.mktemp("runs") / "undisturbed"
    status, stdout, stderr = start_run(dataset, workdir).wait()
    assert (status, stderr) == (0, "")  # No clutter of TensorFlow's.
    return workdir, stdout


def test_results_of_a_finished_run(finished: tuple[Path, str], dataset: Path) -> None:
    workdir, stdout = finished
    results = json.loads((workdir / "results.json").read_text())
    assert list(results) == [
        *("task", "model", "dataset", "dataset_sha256", "preset", "seed", "test", "train"),
        *("samples", "checksum"),
    ]
    assert results["dataset"] == str(dataset)
    assert (results["model"], results["preset"], results["seed"]) == ("af-only", "tiny", 3)
    test = results["test"]
    assert list(test) == [
        *("bpc", "bpc_stderr", "reconstruction_bpc", "kl_bpc", "bpc_given_length"),
        *("num_sequences", "num_samples", "num_unknown"),
    ]
    assert all(math.isfinite(value) for value in test.values())
    assert test["num_samples"] == 2
    assert results["train"]["steps"] == 16
    assert results["train"]["resumed_from_steps"] == []
    assert len(results["train"]["weights_sha256"]) == 64
    assert 0 <= results["samples"]["share_of_known_words"] <= 1
    assert "1 over 288 characters left out" in stdout
    for shown in ("bpc", "KL weight", "ETA", "10 samples", str(workdir)):
        assert shown in stdout


@pytest.mark.parametrize("steps", [(6,), pytest.param((2, 6, 12), marks=pytest.mark.nightly)])
def test_killed_it_ends_with_the_same_weights(
    finished: tuple[Path, str],
    dataset: Path,
    tmp_path: Path,
    steps: tuple[int, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    workdir = tmp_path / "killed"
    for step in steps:
        kill_after(step, dataset, workdir)
    newest = max((workdir / "checkpoints").glob("step-*"))
    data = newest / "variables.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-1])  # The last of them is damaged besides.
    char_lm.main(flags_of(dataset, workdir))  # In this process, which has imported all.
    assert f"{newest.name} is damaged" in capsys.readouterr().out
    resumes = resumed_run(workdir, finished[0])
    assert len(resumes) == len(steps)
    assert all(step > 0 for step in resumes)
    assert scalar_steps(workdir) == scalar_steps(finished[0])


def test_stopped_by_a_scheduler_it_loses_no_step(
    finished: tuple[Path, str],
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = Progress.line

    def line_and_signal(self: Progress, *args: Any) -> str:
        signal.raise_signal(signal.SIGTERM)
        return line(self, *args)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt) as stop:
        patch.setattr(Progress, "line", line_and_signal)
        char_lm.main([*flags_of(dataset, tmp_path), "--log-steps", "3"])
    assert stop.value.args == (signal.SIGTERM,)
    assert "stopped at step 3, with a checkpoint" in capsys.readouterr().out
    char_lm.main(flags_of(dataset, tmp_path))
    assert resumed_run(tmp_path, finished[0]) == [3]


def test_two_workers_make_the_same_steps_and_end_when_one_is_stopped(
    finished: tuple[Path, str], dataset: Path, tmp_path: Path
) -> None:
    folders = tmp_path / "chief", tmp_path / "worker"
    for folder in folders:
        folder.mkdir()
    same = ["train.char_lm", "--dataset", str(dataset), "--workdir", "run", *RUN]
    chief, worker = start_by_variable(same, folders)
    wait_for_step(chief, folders[0] / "run", 6)
    worker.process.terminate()
    start = time.monotonic()
    status, _, err = chief.wait()
    assert time.monotonic() - start < 10
    line = r"error: worker 1 \(127.*\) has ended; the same command on every machine .*\n"
    assert status == 2 and re.fullmatch(line, err)
    assert worker.wait() == (-signal.SIGTERM, "", "")
    assert not any(folders[1].iterdir())
    found, expected = (scalars(path) for path in (folders[0] / "run", finished[0]))
    shared = [key for key in found if key[0] in (2, 4, 6)]
    assert len(shared) >= 3 * 6
    for key in shared:
        assert found[key] == pytest.approx(expected[key], rel=1e-4), key


def test_tensorboard_has_every_tag(finished: tuple[Path, str]) -> None:
    steps = scalar_steps(finished[0])
    windows, validations = list(range(2, 17, 2)), [10, 16]
    terms = ("loss/bpc", "loss/reconstruction_bpc", "loss/kl_bpc")
    training = ("gradient_norm", "kl_weight", "learning_rate")
    assert steps == {
        **dict.fromkeys((f"train:{tag}" for tag in terms), windows),
        **dict.fromkeys(("train:loss/length_bpc", "train:loss/objective_nats"), windows),
        **dict.fromkeys((f"train:training/{name}" for name in training), windows),
        **dict.fromkeys((f"valid:{tag}" for tag in (*terms, SECONDS)), validations),
        **dict.fromkeys(("valid:samples", "valid:reconstructions"), validations),
    }


def test_a_finished_run_prints_its_table_and_changes_nothing(
    finished: tuple[Path, str], dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workdir, stdout = finished
    before = contents(workdir)
    char_lm.main(flags_of(dataset, workdir))
    assert capsys.readouterr().out.split("finished:\n")[1] in stdout
    assert contents(workdir) == before


def test_a_lost_model_is_restored_from_the_last_checkpoint(
    finished: tuple[Path, str],
    dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    workdir = tmp_path / "run"
    shutil.copytree(finished[0], workdir)
    (workdir / "model.keras").unlink()
    char_lm.main(flags_of(dataset, workdir))
    capsys.readouterr()
    assert (workdir / "model.keras").exists()
    again, before = (json.loads((p / "results.json").read_text()) for p in (workdir, finished[0]))
    assert again["train"]["weights_sha256"] == before["train"]["weights_sha256"]
    shutil.rmtree(workdir / "checkpoints")
    (workdir / "results.json").unlink()
    with pytest.raises(UserError, match="has no checkpoint to resume from, and its model would be"):
        char_lm.main(flags_of(dataset, workdir))


@pytest.mark.parametrize(
    ("flags", "says"),
    [(("--batch-size", "3"), "batch_size"), (("--dataset", "pydoc", *RUN), "other data")],
    ids=["another config", "another dataset"],
)
def test_a_run_of_other_settings_or_data_is_refused(
    finished: tuple[Path, str],
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: tuple[str, ...],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    data = () if "--dataset" in flags else ("--dataset", str(dataset))
    args = [*data, "--workdir", str(finished[0]), *flags]
    assert says in refusal(char_lm.main, args, capsys, finished[0], tmp_path)


def test_evaluate_gives_the_numbers_of_the_run(
    finished: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate.main([str(finished[0]), "--samples", "2", "--json"])
    found = json.loads(capsys.readouterr().out)
    expected = json.loads((finished[0] / "results.json").read_text())["test"]
    assert found == pytest.approx(expected, rel=1e-6)


def test_evaluate_counts_unknown_characters_of_another_dataset(
    finished: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for split in ("train", "valid", "test"):
        (tmp_path / f"{split}.txt").write_text("a cat\n\N{GREEK SMALL LETTER PI} r 2\n")
    arguments = ("--samples", "1", "--json", "--batch-size", "2")
    evaluate.main([str(finished[0]), "--dataset", str(tmp_path), *arguments])
    results = json.loads(capsys.readouterr().out)
    assert results["num_unknown"] == 2
    assert results["num_sequences"] == 2


def test_sample_writes_samples_only_and_repeats_by_seed(
    finished: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(finished[0])
    flags = [run, "-n", "3", "--length", "20", "--temperature", "0.8", "--seed", "0"]
    drawn = []
    for _ in range(2):
        sample.main(flags)
        captured = capsys.readouterr()
        assert captured.err == ""
        drawn.append(captured.out)
    assert [len(line) for line in drawn[0].split("\n")] == [20, 20, 20, 0]
    assert drawn[1] == drawn[0]
    sample.main([run, "-n", "6", "--seed", "1"])
    other = capsys.readouterr().out
    assert len({len(line) for line in other.splitlines()}) > 1  # Lengths from p(T).
    assert not set(other.splitlines()) & set(drawn[0].splitlines())
