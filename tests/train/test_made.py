"""`train.sample` from its flags to what it prints and writes, each way once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.finished_runs import finish_run
from tests.models import LEAST_FIELDS, make_model
from train import sample
from train.data.music.config import MusicConfig
from train.data.music.midi import read_midi, write_midi
from train.data.text.config import TextConfig
from train.runs.saved_model import load_model
from train.runs.saved_run import read_run

CHARACTERS = tuple("abc_ ")


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sizes = {"vocabulary": CHARACTERS, "vocab_size": len(CHARACTERS) + 2, "max_length": 9}
    model = make_model("af-only", **LEAST_FIELDS, **sizes)
    return finish_run(tmp_path_factory.mktemp("text"), model, TextConfig.from_preset("tiny"))


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sizes = {"emission": "bernoulli", "vocab_size": 88, "max_length": 9}
    model = make_model("af-only", **LEAST_FIELDS, **sizes)
    return finish_run(tmp_path_factory.mktemp("music"), model, MusicConfig.from_preset("tiny"))


@pytest.mark.nightly
def test_texts(
    text: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[int, int]] = []

    def show(done: int, total: int) -> None:
        shown.append((done, total))

    monkeypatch.setattr(sample, "show_split_progress", lambda screen, what: show)

    def lines(*flags: str) -> list[str]:
        sample.main([str(text), *flags])
        found = capsys.readouterr().out.splitlines()
        assert shown[-1] == (len(found), len(found))
        shown.clear()
        return found

    three = ("-n", "3")
    assert [len(line) for line in lines("--length", "4", *three)] == [4, 4, 4]
    unknown = lines("--prompt", "é", "--length", "3", "--particles", "2", *three)
    assert [line[0] for line in unknown] == ["é"] * 3  # The model knows no such character.
    unknown = lines("--fill", "é*", "--blank", "*", "--particles", "2", "--sweeps", "1", *three)
    assert [line[0] for line in unknown] == ["é"] * 3
    begun = lines("--prompt", "ab", "--particles", "4", *three)
    assert len(begun) == 3 and all(line.startswith("ab") and len(line) > 2 for line in begun)
    assert [len(line) for line in lines("--prompt", "ab", "--length", "5", *three)] == [5, 5, 5]
    small = ("--particles", "2", "--sweeps", "1")
    filled = lines("--fill", "ab*c", "--blank", "*", *small, *three)
    assert [line[:2] + line[3:] for line in filled] == ["abc"] * 3
    assert [len(line) for line in lines("--vary", "ab c", "--amount", "0.5", *three)] == [4, 4, 4]
    assert [len(line) for line in lines("--interpolate", "a", "abcab", "--steps", "5")] == [
        *(1, 2, 3, 4, 5)
    ]


def test_the_library_makes_the_same(text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--prompt", "ab", "--length", "6", "--particles", "2", "--seed", "5", "-n", "3"]
    sample.main([str(text), *flags])
    model = load_model(read_run(text).source)
    made = model.complete_texts(["ab"] * 3, 6, num_particles=2, seed=5)
    assert capsys.readouterr().out.splitlines() == made


def test_what_is_made_is_not_lost(
    text: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(done: int, total: int) -> None:
        if done > 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(sample, "show_split_progress", lambda screen, what: interrupt)
    monkeypatch.setattr("tf_latentflow.interfaces.batches._MOST_ROWS", 2)
    with pytest.raises(KeyboardInterrupt):
        sample.main([str(text), "-n", "6", "--length", "3"])
    assert len(capsys.readouterr().out.splitlines()) == 4


@pytest.mark.nightly
def test_pieces(music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    roll = np.zeros([4, 88], np.uint8)
    roll[:, 30], roll[:2, 44], roll[2:, 47] = 1, 1, 1
    tune = tmp_path / "tune.mid"
    write_midi(tune, roll, tempo_bpm=72)

    def pieces(*flags: str) -> list[np.ndarray]:
        sample.main([str(music), "-n", "2", "--out", str(tmp_path / flags[0]), *flags])
        paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
        found = [read_midi(path) for path in paths if path.suffix == ".mid"]
        way = flags[0].strip("-")
        assert {path.stem for path in paths} == {f"tune-{way}-0-{i}" for i in range(len(found))}
        assert {round(piece.tempo_bpm) for piece in found} == {72}
        return [piece.roll for piece in found]

    for begun in pieces("--continue", str(tune), "--length", "7", "--particles", "4"):
        np.testing.assert_array_equal(begun[:4], roll)
        assert len(begun) == 7
    small = ("--particles", "2", "--sweeps", "1")
    for harmonised in pieces("--harmonise", str(tune), *small):
        assert np.max(np.flatnonzero(harmonised[0])) == 44
        assert [np.max(np.flatnonzero(step)) for step in harmonised] == [44, 44, 47, 47]
        assert np.any(harmonised != roll)
    # What an untrained model has between two pieces may be silent, and no piece to read.
    sample.main([str(music), "--interpolate", str(tune), str(tune), "--steps", "3"])
    assert capsys.readouterr().out.count("tune-tune-interpolate-0-2.mid") == 1


@pytest.mark.nightly
def test_no_piece_is_overwritten_by_another(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def midi(*flags: str) -> list[str]:
        sample.main([str(music), "-n", "1", "--out", str(tmp_path), "--length", "9", *flags])
        paths = map(Path, capsys.readouterr().out.splitlines())
        return [path.name for path in paths if path.suffix == ".mid"]

    assert midi() == ["sample-0-0.mid"]
    first = (tmp_path / "sample-0-0.mid").read_bytes()
    assert midi("--temperature", "3") == midi("--temperature", "3") == ["sample-0-0-2.mid"]
    assert midi() == ["sample-0-0.mid"]
    assert (tmp_path / "sample-0-0.mid").read_bytes() == first
