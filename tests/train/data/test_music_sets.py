"""The sets of music by name, from the files that a user has."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from tests.music_files import PIECE, RELEASED_MUSIC, note_lists, same, write_mat
from tf_latentflow import ModelConfig
from train import polyphonic_music
from train.data.music import sets
from train.data.music.sets import load, load_music
from train.data.splits import SPLITS
from train.support.digests import sha256_of_file
from train.support.errors import UserError

_needs_released = pytest.mark.skipif(not RELEASED_MUSIC.is_dir(), reason="the released sets")


@_needs_released
@pytest.mark.parametrize(
    ("name", "counts", "longest"),
    [
        ("jsb", (229, 76, 77), 160),
        ("nottingham", (694, 173, 170), 1793),
        ("piano-midi", (87, 12, 25), 3857),
        ("musedata", (524, 135, 124), 4273),
    ],
)
def test_released_set_has_its_pieces(name, counts, longest):
    music = load_music(name, RELEASED_MUSIC)
    rolls = [*music.train, *music.valid, *music.test]
    assert (len(music.train), len(music.valid), len(music.test)) == counts
    assert max(map(len, rolls)) == longest
    assert all(roll.dtype == np.uint8 and roll.shape[1] == 88 and len(roll) for roll in rolls)
    assert max(int(roll.max()) for roll in rolls) == 1
    assert music.left_out == ()


@_needs_released
@pytest.mark.parametrize("protocol", [pytest.param(0, marks=pytest.mark.nightly), 2])
def test_pickle_of_a_released_set_equals_its_mat(tmp_path, protocol):
    from_mat = load("jsb", RELEASED_MUSIC)
    path = tmp_path / "JSB Chorales.pickle"
    path.write_bytes(pickle.dumps(note_lists(from_mat), protocol))
    assert same(load("jsb", tmp_path), from_mat)
    assert load_music("jsb", tmp_path).sha256 == load_music("jsb", RELEASED_MUSIC).sha256


@_needs_released
@pytest.mark.parametrize(
    "name",
    [
        "jsb",
        *(
            pytest.param(name, marks=pytest.mark.nightly)
            for name in ("nottingham", "piano-midi", "musedata")
        ),
    ],
)
def test_released_set_is_downloaded_with_its_checksum(monkeypatch, name):
    def fetch(url, path, sha256, cure):
        assert url.endswith(f"/mdata/{path.name}") and "--data-dir" in cure
        assert sha256_of_file(RELEASED_MUSIC / path.name) == sha256
        return RELEASED_MUSIC / path.name

    monkeypatch.setattr(sets, "fetch", fetch)
    assert load_music(name).sha256 == load_music(name, RELEASED_MUSIC).sha256


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("jsb", "jsb_chorales.pickle"),
        ("jsb", "JSB Chorales.pkl"),
        ("piano-midi", "piano_midi.pickle"),
        ("piano-midi", "Piano-midi.de.pickle"),
        ("musedata", "MuseData.pickle"),
        ("nottingham", "nottingham.PKL"),
    ],
)
def test_pickle_is_found_under_its_public_names(tmp_path, name, file):
    pieces = note_lists({split: [PIECE] for split in SPLITS})
    (tmp_path / file).write_bytes(pickle.dumps(pieces))
    assert same(load(name, tmp_path), {split: [PIECE] for split in SPLITS})


def test_mat_goes_before_a_pickle(tmp_path):
    write_mat(tmp_path / "MuseData.mat")
    (tmp_path / "MuseData.pickle").write_bytes(b"not read")
    assert len(load("musedata", tmp_path)["train"]) == 2


def test_digest_tells_content_and_splits_apart(tmp_path):
    digests = set()
    changes = [{}, {"testdata": [PIECE[1:]]}, {"validdata": [PIECE, PIECE]}]
    changes += [{"testdata": [PIECE[:end], PIECE[end:]]} for end in (2, 3)]
    for number, change in enumerate(changes):
        folder = tmp_path / str(number)
        folder.mkdir()
        write_mat(folder / "Nottingham.mat", **change)
        digests.add(load_music("nottingham", folder).sha256)
    assert len(digests) == 5


def test_empty_pieces_are_left_out_and_named(tmp_path):
    write_mat(tmp_path / "JSB_Chorales.mat", traindata=[PIECE, np.zeros([0, 0]), PIECE])
    music = load_music("jsb", tmp_path)
    assert len(music.train) == 2
    assert music.left_out == ("train, piece 2: it has no steps",)


def test_split_without_a_piece_is_refused(tmp_path):
    write_mat(tmp_path / "JSB_Chorales.mat", testdata=[np.zeros([0, 88])])
    with pytest.raises(UserError, match="no piece for test"):
        load_music("jsb", tmp_path)


def test_a_set_whose_test_pieces_are_all_too_long_is_refused_before_training(tmp_path):
    write_mat(tmp_path / "JSB_Chorales.mat", testdata=[np.repeat(PIECE, 2, 0)])  # 5 and 10 steps.
    flags = ["--preset", "tiny", "--dataset", "jsb", "--data-dir", str(tmp_path)]
    with pytest.raises(UserError, match="pieces of at most 6 steps .* all 1 are longer"):
        polyphonic_music.main([*flags, "--workdir", str(tmp_path / "run")])
    assert not (tmp_path / "run").exists()
    music = load_music("jsb", tmp_path)
    assert len(music.encode(ModelConfig(max_length=9), music.test)) == 0
    assert len(music.encode(ModelConfig(max_length=10), music.test)) == 1


def test_the_longest_piece_of_training_and_validation_gives_the_length_of_the_model(tmp_path):
    longest = np.repeat(PIECE, 2, 0)
    write_mat(tmp_path / "JSB_Chorales.mat", validdata=[longest], testdata=[np.repeat(PIECE, 3, 0)])
    assert load_music("jsb", tmp_path).model_fields()["max_length"] == 10 + 2


@pytest.mark.parametrize(
    ("name", "data_dir", "message"),
    [
        ("jsb", "", "expected JSB_Chorales.mat or jsb_chorales.pickle"),
        ("jsb", "absent", "expected a folder with JSB_Chorales.mat as --data-dir"),
        ("chorales", "", "--data-dir is only for the datasets jsb, nottingham"),
        ("bach", None, "expected a dataset: chorales, jsb, .*folder of MIDI files; got 'bach'"),
    ],
)
def test_what_is_not_there_is_named(tmp_path, name, data_dir, message):
    with pytest.raises(UserError, match=message):
        load_music(name, None if data_dir is None else tmp_path / data_dir)


def test_steps_per_beat_must_be_positive():
    with pytest.raises(ValueError, match="steps_per_beat of at least 1; got 0"):
        load_music("jsb", steps_per_beat=0)
