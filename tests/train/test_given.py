"""What `train.sample` is given to make samples from: read and refused without TensorFlow."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tf_latentflow import ModelConfig
from tf_latentflow.config import MAX_TEMPERATURE
from train.data.music.config import MusicConfig
from train.data.music.midi import write_midi
from train.data.text.config import TextConfig
from train.samples.flags import SampleConfig
from train.samples.given import Given, read_given
from train.support.errors import UserError
from train.support.flags import parse_flags
from train.support.ranges import TEMPERATURE, check_ranges

TEXT = ModelConfig(vocab_size=5, vocabulary=tuple("ab "), max_length=9)
BASELINE = ModelConfig.from_name("lstm", "tiny", vocab_size=5, vocabulary=tuple("ab "))
MUSIC = ModelConfig.from_name("af-af", "tiny", emission="bernoulli", max_length=9)


def given(model: ModelConfig, **flags: object) -> Given:
    config = MusicConfig() if not model.is_text else TextConfig()
    asked = SampleConfig(model=Path("run"), **flags)
    check_ranges(asked)
    asked.check_values()
    asked.check(model, config.unit)
    return read_given(asked.resolved(), model, config)


def test_what_would_not_fit_into_memory_is_refused() -> None:
    from train.samples.sequences import make_sequences

    model = SimpleNamespace(config=TEXT, emitter=SimpleNamespace(reads_one_step=True))
    for flags, message in (
        ({"interpolate": ("a", "ab"), "steps": 10**6}, "--steps expects at most"),
        ({"prompt": "ab", "particles": 10**9}, "--particles expects at most"),
    ):
        with pytest.raises(UserError, match=message):
            asked = SampleConfig(model=Path("run"), **flags).resolved()
            next(make_sequences(model, asked, given(TEXT, **flags), lambda done, total: None))


def test_flags_allow_what_models_allow() -> None:
    assert TEMPERATURE.holds(MAX_TEMPERATURE)
    assert not TEMPERATURE.holds(math.nextafter(MAX_TEMPERATURE, math.inf))


def test_texts(capsys: pytest.CaptureFixture[str]) -> None:
    assert given(TEXT) == Given()
    assert [x.tolist() for x in given(TEXT, prompt="ab ").sequences] == [[2, 3, 4]]
    assert capsys.readouterr().err == ""
    assert given(TEXT, interpolate=("a", "éb")).sequences[1].tolist() == [1, 3]
    assert "1 character of --interpolate not in the model's" in capsys.readouterr().err
    filled = given(TEXT, fill="a_b")
    assert filled.mask.tolist() == [True, False, True]
    assert capsys.readouterr().err == ""  # A blank is no unknown character.
    assert given(TEXT, fill="a?_", blank="?").mask.tolist() == [True, False, True]


def test_the_highest_voice(tmp_path: Path) -> None:
    roll = np.zeros([3, 88], np.uint8)
    roll[0, [20, 40, 50]] = roll[2, 30] = 1
    write_midi(tmp_path / "tune.mid", roll, tempo_bpm=80)
    found = given(MUSIC, harmonise=tmp_path / "tune.mid")
    np.testing.assert_array_equal(found.sequences[0], roll)
    assert (found.name, round(found.tempo)) == ("tune", 80)
    kept = [np.flatnonzero(row).tolist() for row in found.mask]
    assert kept == [list(range(50, 88)), [], list(range(30, 88))]


@pytest.mark.parametrize(
    ("model", "flags", "message"),
    [
        (TEXT, {"prompt": ""}, "--prompt expects a text of at least one character"),
        (
            TEXT,
            {"prompt": "a" * 9},
            "--prompt expects at most 8 characters for this model; got 'aaaaaaaaa'",
        ),
        (
            TEXT,
            {"prompt": "abab", "length": 4},
            "at most 3 characters with --length 4; .* or raise --length",
        ),
        (TEXT, {"vary": "a" * 10}, "--vary expects at most 9 characters"),
        (TEXT, {"vary": "a", "amount": 1.5}, "--amount expects a number from 0 to 1; got 1.5"),
        (TEXT, {"vary": "a", "length": 5}, "--length is used with .* new samples, not with --vary"),
        (TEXT, {"fill": "ab"}, "--fill expects a text with at least one '_' to fill in; got 'ab'"),
        (TEXT, {"fill": "a_", "blank": "__"}, "--blank expects one character; got '__'"),
        (TEXT, {"prompt": "a", "fill": "a_"}, "got --prompt and --fill: give one of them"),
        (TEXT, {"interpolate": ("a",)}, "--interpolate expects two texts or two MIDI files; got 1"),
        (TEXT, {"interpolate": ("a", "b"), "num": 3}, "--num is used .*, not with --interpolate"),
        (TEXT, {"interpolate": ("a", "b"), "temperature": 0.5}, "--temperature is used with .*"),
        (TEXT, {"steps": 3}, "--steps is used with --interpolate; give that too"),
        (TEXT, {"interpolate": ("a", "b"), "steps": 1}, "--steps expects a number of at least 2"),
        (TEXT, {"sweeps": 0, "fill": "_"}, "--sweeps expects a number of at least 1"),
        (TEXT, {"continue_": Path("a.mid")}, "--continue is for models of music; this one is of"),
        (BASELINE, {"fill": "a_"}, "--fill needs latents, which the lstm does not have"),
        (BASELINE, {"prompt": "a", "particles": 9}, "--particles needs latents, which the lstm"),
        (MUSIC, {"prompt": "a"}, "--prompt is for models of text; this one is of music"),
        (MUSIC, {"harmonise": Path("none.mid")}, "--harmonise expects a MIDI file; got 'none.mid'"),
        (
            MUSIC,
            {"harmonise": Path(".")},
            "--harmonise expects a MIDI .*; got '.', which is a folder",
        ),
        (MUSIC, {"out": Path(__file__)}, "--out expects a folder; got '.*test_given.py'"),
    ],
)
def test_what_is_refused(model: ModelConfig, flags: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        given(model, **flags)


def test_every_word_can_be_a_prompt() -> None:
    for flag in ("prompt", "vary", "fill"):
        flags = parse_flags(SampleConfig, "train.sample", ["run", f"--{flag}", "None"])
        assert getattr(flags, flag) == "None"
    assert parse_flags(SampleConfig, "train.sample", ["run"]).prompt is None


def test_a_path_in_the_users_home_is_found_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/bach")
    flags = parse_flags(SampleConfig, "train.sample", ["run", "--out=~/pieces", "--harmonise=~x"])
    assert flags.out == Path("/home/bach/pieces") and flags.harmonise == Path("~x")


def test_a_melody_that_is_too_fast_for_the_steps_is_remarked_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roll = np.zeros([8, 88], np.uint8)
    roll[np.arange(8), 40 + np.arange(8)] = 1
    write_midi(tmp_path / "fast.mid", roll, steps_per_beat=4)
    given(MUSIC, harmonise=tmp_path / "fast.mid")
    said = capsys.readouterr().err
    assert "fast.mid: 3 of its notes sound together with the note before them" in said
    assert "since a time step is 1/2 of a beat" in said
    write_midi(tmp_path / "slow.mid", roll, steps_per_beat=2)
    given(MUSIC, harmonise=tmp_path / "slow.mid")
    assert not capsys.readouterr().err
