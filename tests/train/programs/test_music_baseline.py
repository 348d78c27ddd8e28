"""The baseline on music: its exact likelihood, without the extras, and in a table of the paper."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.train.programs.music_runs import LSTM, train, write_set
from train import evaluate, reproduce, sample
from train.support.errors import UserError

pytestmark = pytest.mark.nightly  # Each trains a model of its own.


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def baseline(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workdir = tmp_path_factory.mktemp("runs") / "baseline"
    train(data_dir, workdir, LSTM)
    return workdir


def test_the_baseline_is_exact_and_samples(
    baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    test = json.loads((baseline / "results.json").read_text())["test"]
    assert (test["num_samples"], test["kl_nats_per_step"]) == (1, None)
    sample.main([str(baseline), "-n", "1", "--length", "6", "--out", str(tmp_path)])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["sample-0-0.mid", "sample-0-0.png"]
    with pytest.raises(UserError, match="latents"):
        sample.main([str(baseline), "--vary", "any.mid"])


def test_a_mat_is_trained_on_with_scipy_alone(
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for package in ("matplotlib", "mido", "music21"):
        monkeypatch.setitem(sys.modules, package, None)
    train(data_dir, tmp_path / "run", LSTM)
    printed = capsys.readouterr()
    assert "no MIDI files of samples: mido is not installed; pip install" in printed.err
    assert "no pictures of samples: matplotlib is not installed; pip install" in printed.err
    assert "notes held" in printed.out and "samples, MIDI files" not in printed.out
    assert json.loads((tmp_path / "run" / "results.json").read_text())["test"]
    evaluate.main([str(tmp_path / "run"), "--samples", "2"])
    with pytest.raises(UserError, match="not installed: mido;"):
        sample.main([str(tmp_path / "run"), "-n", "1"])


def test_reproduce_makes_and_skips_rows(
    data_dir: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    flags = ["table3", "--scale", "tiny", "--rows", "lstm", "--datasets", "jsb"]
    flags += ["--data-dir", str(data_dir), "--out", str(tmp_path)]
    reproduce.main(flags)
    table = (tmp_path / "table3-tiny.md").read_text()
    results = json.loads((tmp_path / "lstm-jsb-tiny-0" / "results.json").read_text())
    assert f"| jsb | LSTM | `lstm` | 0 | {results['test']['nats_per_step']:.3f} |" in table
    assert "8.17" in table
    capfd.readouterr()
    reproduce.main(flags)  # Nothing is left to do.
    assert capfd.readouterr().out == table + "\n"
    with pytest.raises(UserError, match="--rows"):
        reproduce.main([*flags[:3], "--rows", "gru", "--out", str(tmp_path)])
