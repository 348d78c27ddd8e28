"""A run on music: trained, evaluated, sampled from, and pieces of the user's varied."""

from __future__ import annotations

import json
from pathlib import Path

import mido
import numpy as np
import pytest

from tests.models import LEAST_FLOW
from tests.music_files import smf
from tests.train.programs.music_runs import draw_piece, train, write_set
from train import char_lm, evaluate, sample
from train.data.music.midi import write_midi
from train.support.errors import UserError


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def flow(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workdir = tmp_path_factory.mktemp("runs") / "flow"
    train(data_dir, workdir, LEAST_FLOW)
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


def test_a_run_on_music_is_no_run_on_text(flow: Path) -> None:
    with pytest.raises(UserError, match="other settings"):
        char_lm.main(["--workdir", str(flow)])


def tempo_of(path: Path) -> float:
    (tempo,) = (m.tempo for m in mido.MidiFile(path).tracks[0] if m.type == "set_tempo")
    return mido.tempo2bpm(tempo)


@pytest.mark.nightly
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
    piece = tmp_path / "mine.mid"
    write_midi(piece, draw_piece(np.random.default_rng(1), 12))
    flags = [str(flow), "-n", "2", "--vary", str(piece), "--out", str(tmp_path / "out")]
    sample.main([*flags, "--amount", "1"])
    written = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert written == [f"mine-vary-0-{i}.{kind}" for i in range(2) for kind in ("mid", "png")]


@pytest.mark.nightly
def test_a_variation_has_the_tempo_of_its_piece(
    flow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    piece = draw_piece(np.random.default_rng(1), 12)
    write_midi(tmp_path / "mine.mid", piece, tempo_bpm=137.5)
    flags = [str(flow), "-n", "1", "--out", str(tmp_path)]
    vary = ["--vary", str(tmp_path / "mine.mid")]
    sample.main([*flags, *vary])
    assert tempo_of(tmp_path / "mine-vary-0-0.mid") == pytest.approx(137.5, abs=1e-3)
    sample.main([*flags, *vary, "--tempo", "61.5"])
    assert tempo_of(tmp_path / "mine-vary-0-0-2.mid") == pytest.approx(61.5, abs=1e-3)
    sample.main([*flags, "--length", "8", "--tempo", "240"])
    assert tempo_of(tmp_path / "sample-0-0.mid") == 240


def test_what_a_given_piece_lost_is_said(
    flow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    piece = tmp_path / "mine.mid"
    note = b"\0\x90\x3c\x50\x60\x3c\0"
    piece.write_bytes(smf(note + note.replace(b"\x3c", b"\x05"), promised=2))
    sample.main([str(flow), "-n", "1", "--vary", str(piece), "--out", str(tmp_path)])
    printed = capsys.readouterr()
    assert "1 of its notes left out: not in 21..108" in printed.err
    assert "declares 2 tracks, but it has 1" in printed.err
    assert printed.out.split() == [
        str(tmp_path / f"mine-vary-0-0.{kind}") for kind in ("mid", "png")
    ]
