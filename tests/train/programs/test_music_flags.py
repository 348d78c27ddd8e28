"""Flags of `train.sample` that a model of music refuses, and flags that are for it alone."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.finished_runs import finish_run
from tests.models import LEAST_FIELDS, make_model
from tests.train.programs.music_runs import draw_piece
from tf_latentflow import ModelConfig
from train import sample
from train.data.music.config import MusicConfig
from train.data.music.midi import write_midi
from train.data.text.config import TextConfig
from train.samples.flags import SampleConfig
from train.support.errors import UserError


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run, untrained."""
    sizes = {"emission": "bernoulli", "vocab_size": 88, "max_length": 25}
    model = make_model("af-only", **LEAST_FIELDS, **sizes)
    return finish_run(tmp_path_factory.mktemp("run"), model, MusicConfig.from_preset("tiny"))


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
        (
            ["--continue", "long.mid"],
            "--continue expects at most 24 steps for this model; got long.mid with",
        ),
        (["--continue", "long.mid", "--vary", "long.mid"], "got --continue and --vary: give one"),
        (["--interpolate", "text.mid", "nowhere.mid"], "MIDI"),
        (["--prompt", "The"], "--prompt is for models of text; this one is of music"),
        (["--harmonise", "long.mid", "--particles", "1"], "--particles expects .* at least 2"),
        (["--vary", "long.mid"], "at most 25"),
        (["--vary", "long.mid", "--length", "5"], "--length"),
        (["--vary", "long.mid", "--amount", "1.5"], "--amount"),
        (["--length", "26"], "1 to 25 steps"),
        (["--vary", "text.mid"], "MIDI"),
        (["--vary", "nowhere.mid"], "--vary expects a MIDI file; got 'nowhere.mid'"),
        (["--vary", "pipe.mid"], "it is a pipe"),
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
