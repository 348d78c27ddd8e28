"""A user's folder of MIDI files: what is read, and what is left out and named."""

from __future__ import annotations

import gzip
import os
import re

import numpy as np
import pytest

from tests.music_files import smf
from train.data.music.config import MusicConfig
from train.data.music.folder.reading import read_midi_folder
from train.data.music.midi import write_midi
from train.data.music.rolls import Note, roll_of
from train.data.music.sets import load_music
from train.data.splits import SPLITS
from train.support.errors import UserError


def _fill(folder, number, first=40):
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(number):
        write_midi(folder / f"{index:02}.mid", roll_of([Note(first + index, 0, 2)], 2))


def _pitches(rolls):
    return [int(np.flatnonzero(roll[0])[0]) + 21 for roll in rolls]


def test_subfolders_are_the_splits(tmp_path):
    for split, first in zip(SPLITS, (40, 60, 80), strict=True):
        _fill(tmp_path / split, 2, first)
    _fill(tmp_path / "more", 1, 100)
    splits, left_out, _ = read_midi_folder(tmp_path, 2)
    assert {split: _pitches(splits[split]) for split in SPLITS} == {
        "train": [40, 41],
        "valid": [60, 61],
        "test": [80, 81],
    }
    assert left_out == [
        f"{tmp_path / 'more' / '00.mid'}: left out: it is in none of the subfolders "
        "train, valid, test"
    ]


def test_folder_is_dealt_whatever_the_names(tmp_path):
    _fill(tmp_path / "a", 12)
    music = load_music(str(tmp_path / "a"))
    dealt = {split: sorted(_pitches(getattr(music, split))) for split in SPLITS}
    assert all(dealt.values()) and sorted(sum(dealt.values(), [])) == list(range(40, 52))
    # The same pieces under other names, in other folders, one of them twice.
    other = tmp_path / "b" / "deep"
    other.mkdir(parents=True)
    for file in (tmp_path / "a").iterdir():
        file.rename(other / f"{50 - int(file.stem)}.MIDI")
    (tmp_path / "b" / "Twice.Mid").write_bytes((other / "50.MIDI").read_bytes())
    again = load_music(str(tmp_path / "b"))
    assert {split: sorted(_pitches(getattr(again, split))) for split in SPLITS} == dealt
    assert len(again.left_out) == 1 and "the same notes as" in again.left_out[0]


def test_steps_per_beat_quantises_the_folder(tmp_path):
    _fill(tmp_path, 3)
    assert len(load_music(str(tmp_path), steps_per_beat=8).train[0]) == 8


def test_files_that_cannot_be_used_are_named_and_skipped(tmp_path):
    _fill(tmp_path, 3)
    (tmp_path / "broken.mid").write_bytes(b"MThd")
    (tmp_path / "notes.txt").write_text("not music")
    wide = b"".join(bytes([0, 0x90, pitch, 80, 96, 0x80, pitch, 0]) for pitch in (60, 10, 9))
    (tmp_path / "wide.mid").write_bytes(smf(wide, promised=3))
    music = load_music(str(tmp_path))
    assert len(music.train) + len(music.valid) + len(music.test) == 4
    text, broken, wide, tracks = music.left_out
    assert "notes.txt: left out: its name is not one of *.mid, " in text
    assert "broken.mid: left out: expected a MIDI file" in broken and "\n" not in broken
    assert wide.endswith("wide.mid: 2 of its notes left out: not in 21..108")
    assert tracks.endswith("wide.mid: its header declares 3 tracks, but it has 1")
    assert "\n4 left out, wholly or in part:\n" in music.describe()


def test_the_samples_of_a_run_are_no_data(tmp_path):
    _fill(tmp_path, 3)
    before = load_music(str(tmp_path)).sha256
    _fill(tmp_path / "runs" / "mine" / "samples", 2, first=60)
    (tmp_path / "runs" / "mine" / "checkpoints").mkdir()
    (tmp_path / "runs" / "mine" / "config.json").write_text("{}")
    music = load_music(str(tmp_path))
    assert music.sha256 == before
    assert any(
        line.endswith("mine: left out: it is the folder of a run") for line in music.left_out
    )


def test_midi_files_by_all_their_names_are_read(tmp_path):
    _fill(tmp_path, 9)
    suffixes = (".MID", ".Midi", ".KAR", ".kar", ".RMI", ".mid.gz", ".MIDI.GZ", ".rmi.gz", ".mid")
    for suffix, path in zip(suffixes, sorted(tmp_path.iterdir()), strict=True):
        data = path.read_bytes()
        if "rmi" in suffix.lower():
            data = b"RIFF\0\0\0\0RMIDdata" + len(data).to_bytes(4, "little") + data
        path.unlink()
        compressed = suffix.lower().endswith("gz")
        path.with_suffix(suffix).write_bytes(gzip.compress(data) if compressed else data)
    splits, left_out, _ = read_midi_folder(tmp_path, 2)
    assert sorted(_pitches(sum(splits.values(), []))) == list(range(40, 49))
    assert left_out == []


def test_whatever_is_no_midi_file_is_named(tmp_path):
    _fill(tmp_path, 3)
    (tmp_path / "score.pdf").write_bytes(b"MThd")
    (tmp_path / "midi").write_bytes(b"MThd")
    (tmp_path / "song.mid.zip").write_bytes(b"PK")
    (tmp_path / "lost.mid").symlink_to(tmp_path / "nowhere.mid")
    (tmp_path / "circle").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.mid")  # Who opens it waits for ever.
    _, left_out, _ = read_midi_folder(tmp_path, 2)
    assert sorted(line.split(": left out: ")[0] for line in left_out) == [
        str(tmp_path / name)
        for name in ("circle", "lost.mid", "midi", "pipe.mid", "score.pdf", "song.mid.zip")
    ]


def test_a_split_may_be_a_link(tmp_path):
    for split, first in zip(SPLITS, (40, 60, 80), strict=True):
        _fill(tmp_path / "elsewhere" / split, 1, first)
    data = tmp_path / "data"
    data.mkdir()
    for split in SPLITS:
        (data / split).symlink_to(tmp_path / "elsewhere" / split)
    splits, left_out, _ = read_midi_folder(data, 2)
    assert (_pitches(splits["test"]), left_out) == ([80], [])


def test_folder_that_cannot_be_used_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"MIDI files \(\*.mid, \*.midi, \*.kar, \*.rmi\)"):
        load_music(str(tmp_path))
    _fill(tmp_path, 2)
    (tmp_path / "broken.mid").write_bytes(b"")
    with pytest.raises(UserError, match="at least 3 different MIDI files .* got 2; .*broken.mid"):
        load_music(str(tmp_path))
    _fill(tmp_path / "valid", 2)
    with pytest.raises(UserError, match="missing: train, test"):
        load_music(str(tmp_path))
    for split in ("train", "test"):
        _fill(tmp_path / split, 1)
    (tmp_path / "test" / "00.mid").write_bytes(b"")
    with pytest.raises(UserError, match="that can be used in .*test.*ends too early"):
        load_music(str(tmp_path))


def test_what_a_folder_says_and_what_follows_from_it(tmp_path):
    for i in range(12):
        write_midi(tmp_path / f"{i}.mid", roll_of([Note(40 + i, 0, 16)], 16), steps_per_beat=4)
    (tmp_path / "broken.mid").write_bytes(b"MThd")
    config = MusicConfig(dataset=str(tmp_path), steps_per_beat=4)
    dataset, model = config.load(), config.model_config()
    assert re.search(r"^1 left out.*\n.*broken\.mid", dataset.describe(), re.MULTILINE)
    fields = dataset.model_fields()
    assert fields == {"vocab_size": 88, "max_length": 20}
    differing = {name for name, value in fields.items() if getattr(model, name) != value}
    assert differing == set(MusicConfig.from_data)
