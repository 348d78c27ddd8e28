"""The programs on music, end to end on preset tiny: train, evaluate, sample, vary, bad input."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import mido
import numpy as np
import pytest
from scipy.io import savemat

from tests.models import LEAST_FLOW
from tests.music_files import smf
from tf_latentflow import ModelConfig
from train import char_lm, evaluate, polyphonic_music, reproduce, sample
from train.data.music.config import MusicConfig
from train.data.music.midi import write_midi
from train.data.text.config import TextConfig
from train.engine.workdir import FORMAT
from train.samples.flags import SampleConfig
from train.support.errors import UserError

RUN = (
    *("--preset", "tiny", "--max-steps", "6", "--checkpoint-steps", "2", "--log-steps", "2"),
    *("--eval-every", "3", "--kl-zero", "1", "--kl-ramp", "2", "--test-samples", "2"),
)

LSTM = ("--model", "lstm")


def draw_piece(rng: np.random.Generator, num_steps: int) -> np.ndarray:
    """Chords of three notes, each held for four steps."""
    roll = np.zeros((num_steps, 88), np.uint8)
    for start in range(0, num_steps, 4):
        root = rng.integers(30, 50)
        roll[start : start + 4, [root, root + 4, root + 7]] = 1
    return roll


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small set under the name of a benchmark; one test piece is longer than all may be."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("data")
    splits = {}
    for split, lengths in (
        ("traindata", [8, 12, 20, 9, 16, 11]),
        ("validdata", [10, 14]),
        ("testdata", [13, 25, 40]),
    ):
        cells = np.empty((1, len(lengths)), object)
        for i, length in enumerate(lengths):
            cells[0, i] = draw_piece(rng, length)
        splits[split] = cells
    savemat(folder / "JSB_Chorales.mat", splits)
    return folder


def train(data_dir: Path, workdir: Path, model: tuple[str, ...]) -> None:
    flags = ["--dataset", "jsb", "--data-dir", str(data_dir), *model, *RUN]
    polyphonic_music.main([*flags, "--workdir", str(workdir)])


@pytest.fixture(scope="module")
def flow(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workdir = tmp_path_factory.mktemp("runs") / "flow"
    train(data_dir, workdir, LEAST_FLOW)
    return workdir


@pytest.fixture(scope="module")
def baseline(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workdir = tmp_path_factory.mktemp("runs") / "baseline"
    train(data_dir, workdir, LSTM)
    return workdir


def test_a_finished_run(flow: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = json.loads((flow / "results.json").read_text())
    test = results["test"]
    assert test.keys() == {
        "nats_per_step",
        "nats_per_step_stderr",
        "reconstruction_nats_per_step",
        "kl_nats_per_step",
        "nats_per_step_given_length",
        "num_sequences",
        "num_samples",
        "num_too_long",
    }
    assert (test["num_sequences"], test["num_too_long"]) == (2, 1)  # 40 steps are over 1.25 * 20.
    bound = test["reconstruction_nats_per_step"] + test["kl_nats_per_step"]
    assert 0 < test["nats_per_step_given_length"] < 88 * np.log(2)
    # The bound lacks -log p(T): 13 steps are one of four lengths that share a count, and nothing in
    # training was as long as 25.
    length_cost = np.log(6.05 / 0.25) + np.log(6.05 / (0.05 / 25))
    assert test["nats_per_step"] < bound + length_cost / (14 + 26)
    data = results["samples"]["data"]
    assert data["notes_per_step"] == 3
    # The draws of this file repeat no root, and a new chord may keep notes of the last.
    assert 0.7 < data["held_share"] < 1
    for i in range(4):
        assert (flow / "samples" / f"final-{i}.png").read_bytes().startswith(b"\x89PNG")
        assert (flow / "samples" / f"final-{i}.mid").read_bytes().startswith(b"MThd")


def test_the_same_command_prints_the_numbers(
    data_dir: Path, flow: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(data_dir, flow, LEAST_FLOW)
    printed = capsys.readouterr().out
    test = json.loads((flow / "results.json").read_text())["test"]
    assert "this run has finished" in printed
    assert f"{test['nats_per_step']:.4f} +- " in printed
    assert "notes held" in printed


def test_evaluate_gives_the_numbers_of_the_run(
    flow: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate.main([str(flow), "--samples", "2", "--json"])
    again = json.loads(capsys.readouterr().out)
    assert again == json.loads((flow / "results.json").read_text())["test"]


@pytest.mark.nightly
def test_the_baseline_is_exact_and_samples(
    baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    test = json.loads((baseline / "results.json").read_text())["test"]
    assert (test["num_samples"], test["kl_nats_per_step"]) == (1, None)
    sample.main([str(baseline), "-n", "1", "--length", "6", "--out", str(tmp_path)])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["sample-0-0.mid", "sample-0-0.png"]
    with pytest.raises(UserError, match="latents"):
        sample.main([str(baseline), "--prime", "any.mid"])


def test_samples_repeat_with_their_seed(
    flow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("a", "b"):
        out = tmp_path / folder
        sample.main([str(flow), "-n", "2", "--length", "16", "--seed", "3", "--out", str(out)])
        printed = capsys.readouterr().out.split()
        assert printed == [
            str(out / f"sample-3-{i}.{kind}") for i in range(2) for kind in ("mid", "png")
        ]
    for i in range(2):
        a, b = (tmp_path / folder / f"sample-3-{i}.mid" for folder in ("a", "b"))
        assert a.read_bytes() == b.read_bytes()
        assert tempo_of(a) == 100


def test_a_piece_is_varied(flow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prime = tmp_path / "mine.mid"
    write_midi(prime, draw_piece(np.random.default_rng(1), 12))
    flags = [str(flow), "-n", "2", "--prime", str(prime), "--out", str(tmp_path / "out")]
    sample.main([*flags, "--amount", "1"])
    written = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert written == [f"mine-0-{i}.{kind}" for i in range(2) for kind in ("mid", "png")]


def tempo_of(path: Path) -> float:
    (tempo,) = (m.tempo for m in mido.MidiFile(path).tracks[0] if m.type == "set_tempo")
    return mido.tempo2bpm(tempo)


def test_a_variation_has_the_tempo_of_its_piece(
    flow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    piece = draw_piece(np.random.default_rng(1), 12)
    write_midi(tmp_path / "mine.mid", piece, tempo_bpm=137.5)
    flags = [str(flow), "-n", "1", "--out", str(tmp_path)]
    prime = ["--prime", str(tmp_path / "mine.mid")]
    sample.main([*flags, *prime])
    assert tempo_of(tmp_path / "mine-0-0.mid") == pytest.approx(137.5, abs=1e-3)
    sample.main([*flags, *prime, "--tempo", "61.5"])
    assert tempo_of(tmp_path / "mine-0-0.mid") == pytest.approx(61.5, abs=1e-3)
    sample.main([*flags, "--length", "8", "--tempo", "240"])
    assert tempo_of(tmp_path / "sample-0-0.mid") == 240


def test_what_a_prime_lost_is_said(
    flow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prime = tmp_path / "mine.mid"
    note = b"\0\x90\x3c\x50\x60\x3c\0"
    prime.write_bytes(smf(note + note.replace(b"\x3c", b"\x05"), promised=2))
    sample.main([str(flow), "-n", "1", "--prime", str(prime), "--out", str(tmp_path)])
    printed = capsys.readouterr()
    assert "1 of its notes left out: not in 21..108" in printed.err
    assert "promises 2 tracks, and 1 are there" in printed.err
    assert printed.out.split() == [str(tmp_path / f"mine-0-0.{kind}") for kind in ("mid", "png")]


@pytest.mark.nightly
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


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        *(
            (["--tempo", tempo], "--tempo expects a number from 4 to 1000, .*; got")
            for tempo in ("0", "-90", "3.9", "1001", "nan", "inf")
        ),
        (["--amount", "0.5"], "--amount is used with --vary; give that too"),
        (
            ["--sweeps", "2", "--continue", "long.mid"],
            "--sweeps is used with --fill or --harm",
        ),
        (["--continue", "long.mid"], "--continue expects at most 24 steps here; got long.mid with"),
        (["--continue", "long.mid", "--vary", "long.mid"], "got --continue and --vary: give one"),
        (["--interpolate", "text.mid", "nowhere.mid"], "MIDI"),
        (["--prompt", "The"], "--prompt is for models of text; this one is of music"),
        (["--harmonise", "long.mid", "--particles", "1"], "--particles expects .* at least 2"),
        (["--prime", "long.mid"], "at most 25"),
        (["--prime", "long.mid", "--length", "5"], "--length"),
        (["--prime", "long.mid", "--amount", "1.5"], "--amount"),
        (["--length", "26"], "1 to 25 steps"),
        (["--prime", "text.mid"], "MIDI"),
        (["--prime", "nowhere.mid"], "--vary expects a MIDI file; got 'nowhere.mid'"),
        (["--prime", "pipe.mid"], "it is a pipe"),
    ],
)
def test_bad_flags_of_sample(
    flow: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_midi(tmp_path / "long.mid", draw_piece(np.random.default_rng(2), 26))
    (tmp_path / "text.mid").write_text("no music")
    os.mkfifo(tmp_path / "pipe.mid")
    with pytest.raises(UserError, match=message):
        sample.main([str(flow), *flags])


@pytest.mark.parametrize("flag", [{"harmonise": Path("mine.mid")}, {"tempo": 90.0}])
def test_flags_of_music_are_refused_for_text(tmp_path: Path, flag: dict) -> None:
    flags = SampleConfig(model=tmp_path, **flag)
    with pytest.raises(UserError, match=f"--{next(iter(flag))} is for models of music"):
        flags.check(ModelConfig(), TextConfig.unit)


def test_a_run_on_music_is_no_run_on_text(flow: Path) -> None:
    with pytest.raises(UserError, match="other settings"):
        char_lm.main(["--workdir", str(flow)])


def test_a_run_of_no_known_kind_is_refused(tmp_path: Path) -> None:
    for task in ('"tables"', "null", "[]", "{}"):
        (tmp_path / "config.json").write_text(f'{{"format": {FORMAT}, "task": {task}}}')
        with pytest.raises(UserError, match="text, music"):
            evaluate.main([str(tmp_path)])


def test_a_folder_of_midi_files(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    for i in range(12):
        write_midi(tmp_path / f"{i}.mid", draw_piece(rng, 16), steps_per_beat=4)
    (tmp_path / "broken.mid").write_bytes(b"MThd")
    config = MusicConfig(dataset=str(tmp_path), steps_per_beat=4)
    dataset, model = config.load(), config.model_config()
    assert re.search(r"^1 left out.*\n.*broken\.mid", dataset.describe(), re.MULTILINE)
    fields = dataset.model_fields()
    assert fields == {"emission": "bernoulli", "vocab_size": 88, "max_length": 20}
    differing = {name for name, value in fields.items() if getattr(model, name) != value}
    assert differing == set(MusicConfig.from_data)


@pytest.mark.nightly
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
