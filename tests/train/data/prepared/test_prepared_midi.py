"""Many MIDI files: parsed once, and the same dataset from disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.music_files import random_rolls
from tests.paths import ROOT
from tf_latentflow import ModelConfig
from train.data.music.folder import pieces
from train.data.music.midi import write_midi
from train.data.music.sets import MusicSet, load_music
from train.data.splits import SPLITS
from train.support.errors import UserError


def fill(folder: Path, number: int, seed: int = 0) -> Path:
    folder.mkdir(parents=True)
    for i, roll in enumerate(random_rolls(number, seed=seed)):
        write_midi(folder / f"{i:03}.mid", roll)
    (folder / "broken.mid").write_bytes(b"MThd")
    (folder / "notes.txt").write_text("not music")
    (folder / "twice.mid").write_bytes((folder / "000.mid").read_bytes())
    return folder


def undivided(folder: Path) -> Path:
    return fill(folder / "own", 40)


def divided(folder: Path) -> Path:
    for split, number in zip(SPLITS, (20, 5, 6), strict=True):
        fill(folder / "own" / split, number)  # The same pieces in all of them.
    return folder / "own"


def few(folder: Path) -> Path:
    return fill(folder / "own", 3)  # A split is given one of another.


def prepared(path: Path) -> MusicSet:
    return load_music(str(path), most_in_memory=0)


@pytest.mark.parametrize("make", [undivided, divided, few])
def test_it_is_the_dataset_that_it_would_be_in_memory(make, tmp_path: Path, cache: Path) -> None:
    path = make(tmp_path)
    here = load_music(str(path))
    assert not cache.exists() and here.place is None
    there = prepared(path)
    assert there.place is not None and there.place.parent == cache
    for split in SPLITS:
        for one, other in zip(getattr(here, split), getattr(there, split), strict=True):
            assert one.dtype == other.dtype and np.array_equal(one, other)
    assert there.sha256 == here.sha256 and there.left_out == here.left_out
    assert there.model_fields() == here.model_fields()
    most = max(1, *(len(roll) - 1 for roll in here.train))
    for music in (here, there):
        encoded = music.encode(ModelConfig(max_length=most), music.train)
        assert len(encoded) == sum(len(roll) <= most for roll in here.train)
    assert there.describe().replace(f"; read from {there.place}", "") == here.describe()


def test_few_pieces_are_refused_as_in_memory(tmp_path: Path) -> None:
    path = fill(tmp_path / "own", 2)
    errors = []
    for most in (0, 100):
        with pytest.raises(UserError, match="at least 3 different MIDI files") as error:
            load_music(str(path), most_in_memory=most)
        errors.append(str(error.value))
    assert errors[0] == errors[1]


_KILLED = """
import os, signal, sys
from train.data.music.folder import prepared
from train.data.music.sets import load_music

prepared.COMMIT_FILES = 10
read, left = prepared.read_pieces, int(sys.argv[2])


def read_some(*arguments):
    for i, piece in enumerate(read(*arguments)):
        if i == left:
            os.kill(os.getpid(), signal.SIGKILL)
        yield piece


prepared.read_pieces = read_some
load_music(sys.argv[1], most_in_memory=0)
"""


def test_a_killed_preparation_goes_on(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = undivided(tmp_path)
    here = load_music(str(path))
    for files in (25, 7):  # Some of the first are committed, and none of the second.
        done = subprocess.run(
            [sys.executable, "-c", _KILLED, str(path), str(files)], cwd=ROOT, check=False
        )
        assert done.returncode == -signal.SIGKILL
        assert [p.suffix for p in cache.glob("*/")] == [".partial"]
    parsed: list[str] = []  # What was committed is not read again.
    read = pieces.read_midi
    monkeypatch.setattr(
        pieces, "read_midi", lambda path, steps: parsed.append(path.name) or read(path, steps)
    )
    there = prepared(path)
    assert parsed == [f"{i:03}.mid" for i in range(20, 40)] + ["broken.mid", "twice.mid"]
    assert there.sha256 == here.sha256 and there.left_out == here.left_out


def test_damage_is_refused_by_file(tmp_path: Path) -> None:
    path = undivided(tmp_path)
    place = prepared(path).place
    os.truncate(place / "rolls", 100)
    with pytest.raises(UserError, match="its file rolls is damaged; delete this folder"):
        prepared(path)


def test_another_file_is_prepared_anew(tmp_path: Path, cache: Path) -> None:
    path = undivided(tmp_path)
    first = prepared(path)
    write_midi(path / "more.mid", random_rolls(1, seed=9)[0])
    second = prepared(path)
    assert sum(len(getattr(second, s)) for s in SPLITS) == 41
    assert first.sha256 != second.sha256 and len(list(cache.glob("*/"))) == 1


def test_runs_with_other_steps_do_not_disturb_each_other(tmp_path: Path, cache: Path) -> None:
    path = undivided(tmp_path)
    sets = [load_music(str(path), steps_per_beat=n, most_in_memory=0) for n in (2, 4, 2)]
    assert sets[0].place == sets[2].place and sets[0].sha256 == sets[2].sha256
    assert sets[0].sha256 != sets[1].sha256
    assert set(cache.glob("*/")) == {music.place for music in sets}
