import pickle
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from train.download import sha256_of_file
from train.errors import UserError
from train.music import chorales, sets
from train.music.dealing import deal
from train.music.matlab import read_mat
from train.music.pickles import read_pickle
from train.music.rolls import Note, notes_of, roll_of
from train.music.sets import load, load_music
from train.splits import SPLITS, split_of

_RELEASED = Path(__file__).parents[1] / "../shared/data/polyphonic"
_needs_released = pytest.mark.skipif(not _RELEASED.is_dir(), reason="the released sets")
_SILENCE_AND_CHORD = np.eye(88, dtype=np.uint8)[[0, 39]] * [[0], [1]]
_PIECE = roll_of([Note(21, 0, 2), Note(60, 1, 3), Note(108, 3, 4)], 5)


def _random_rolls(number, seed=0):
    rng = np.random.default_rng(seed)
    return [(rng.random([rng.integers(1, 9), 88]) < 0.05).astype(np.uint8) for _ in range(number)]


def _write_mat(path, compressed=False, **changes):
    values = {"traindata": [_PIECE, _PIECE[1:]], "validdata": [_PIECE], "testdata": [_PIECE]}
    cells = {}
    for key, pieces in (values | changes).items():
        if isinstance(pieces, list):
            cells[key] = np.empty([1, len(pieces)], object)
            for index, piece in enumerate(pieces):
                cells[key][0, index] = piece
        elif pieces is not None:
            cells[key] = pieces
    scipy.io.savemat(path, cells, do_compression=compressed)


def _note_lists(splits):
    return {
        split: [[(np.flatnonzero(step) + 21).tolist() for step in roll] for roll in splits[split]]
        for split in SPLITS
    }


def _same(splits, others):
    return all(
        len(splits[split]) == len(others[split])
        and all(map(np.array_equal, splits[split], others[split]))
        for split in SPLITS
    )


# The released sets.


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
    music = load_music(name, _RELEASED)
    rolls = [*music.train, *music.valid, *music.test]
    assert (len(music.train), len(music.valid), len(music.test)) == counts
    assert max(map(len, rolls)) == longest
    assert all(roll.dtype == np.uint8 and roll.shape[1] == 88 and len(roll) for roll in rolls)
    assert max(int(roll.max()) for roll in rolls) == 1
    assert music.left_out == ()


@_needs_released
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_pickle_of_a_released_set_equals_its_mat(tmp_path, protocol):
    from_mat = load("jsb", _RELEASED)
    path = tmp_path / "JSB Chorales.pickle"
    path.write_bytes(pickle.dumps(_note_lists(from_mat), protocol))
    assert _same(load("jsb", tmp_path), from_mat)
    assert load_music("jsb", tmp_path).sha256 == load_music("jsb", _RELEASED).sha256


@_needs_released
@pytest.mark.parametrize("name", ["jsb", "nottingham", "piano-midi", "musedata"])
def test_released_set_is_downloaded_with_its_checksum(monkeypatch, name):
    def fetch(url, path, sha256, cure):
        assert url.endswith(f"/mdata/{path.name}") and "--data-dir" in cure
        assert sha256_of_file(_RELEASED / path.name) == sha256
        return _RELEASED / path.name

    monkeypatch.setattr(sets, "fetch", fetch)
    assert load_music(name).sha256 == load_music(name, _RELEASED).sha256


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
    pieces = _note_lists({split: [_PIECE] for split in SPLITS})
    (tmp_path / file).write_bytes(pickle.dumps(pieces))
    assert _same(load(name, tmp_path), {split: [_PIECE] for split in SPLITS})


def test_mat_goes_before_a_pickle(tmp_path):
    _write_mat(tmp_path / "MuseData.mat")
    (tmp_path / "MuseData.pickle").write_bytes(b"not read")
    assert len(load("musedata", tmp_path)["train"]) == 2


def test_digest_tells_content_and_splits_apart(tmp_path):
    digests = set()
    changes = ({}, {"testdata": [_PIECE[1:]]}, {"validdata": [_PIECE, _PIECE]})
    for number, change in enumerate(changes):
        folder = tmp_path / str(number)
        folder.mkdir()
        _write_mat(folder / "Nottingham.mat", **change)
        digests.add(load_music("nottingham", folder).sha256)
    assert len(digests) == 3


def test_empty_pieces_are_left_out_and_named(tmp_path):
    _write_mat(tmp_path / "JSB_Chorales.mat", traindata=[_PIECE, np.zeros([0, 0]), _PIECE])
    music = load_music("jsb", tmp_path)
    assert len(music.train) == 2
    assert music.left_out == ("train, piece 2: it has no steps",)


def test_split_without_a_piece_is_refused(tmp_path):
    _write_mat(tmp_path / "JSB_Chorales.mat", testdata=[np.zeros([0, 88])])
    with pytest.raises(UserError, match="no piece for test"):
        load_music("jsb", tmp_path)


@pytest.mark.parametrize(
    ("name", "data_dir", "message"),
    [
        ("jsb", "", "expected JSB_Chorales.mat or jsb_chorales.pickle"),
        ("jsb", "absent", "expected a folder with JSB_Chorales.mat as --data-dir"),
        ("chorales", "", "--data-dir belongs to the datasets jsb, nottingham"),
        ("bach", None, "expected a dataset: chorales, jsb, .*folder of MIDI files; got 'bach'"),
    ],
)
def test_what_is_not_there_is_named(tmp_path, name, data_dir, message):
    with pytest.raises(UserError, match=message):
        load_music(name, None if data_dir is None else tmp_path / data_dir)


def test_steps_per_beat_must_be_positive():
    with pytest.raises(ValueError, match="steps_per_beat of at least 1; got 0"):
        load_music("jsb", steps_per_beat=0)


# MATLAB files.


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"validdata": None}, "missing: validdata"),
        (
            {"traindata": [_PIECE, _PIECE[:, :87]]},
            r"traindata, piece 2; .*shape \[5, 87\]",
        ),
        ({"testdata": [_PIECE * 2]}, "only 0 and 1 in .* testdata, piece 1"),
        ({"testdata": [_PIECE + np.nan]}, "only 0 and 1 in .* testdata, piece 1"),
        ({"testdata": ["notes"]}, "testdata, piece 1; got str"),
        ({"testdata": np.zeros([5, 88])}, "cell array of piano rolls in .* testdata; got float64"),
    ],
)
def test_wrong_mat_is_refused(tmp_path, changes, message):
    _write_mat(tmp_path / "a.mat", **changes)
    with pytest.raises(UserError, match=message):
        read_mat(tmp_path / "a.mat")


@pytest.mark.parametrize("dtype", [np.uint8, np.float64, bool, np.int32])
def test_mat_of_any_number_type_is_read(tmp_path, dtype):
    _write_mat(tmp_path / "a.mat", testdata=[_PIECE.astype(dtype)])
    (roll,) = read_mat(tmp_path / "a.mat")["test"]
    assert roll.dtype == np.uint8
    np.testing.assert_array_equal(roll, _PIECE)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_mat_that_was_cut_short_is_refused(tmp_path, compressed):
    path = tmp_path / "a.mat"
    _write_mat(path, compressed)
    good = path.read_bytes()
    for size in (0, 3, 127, 130, len(good) // 2, len(good) - 200):
        path.write_bytes(good[:size])
        with pytest.raises(UserError, match="MATLAB|missing"):
            read_mat(path)


@pytest.mark.parametrize("data", [b"", b"MATLAB?" * 99, b"MATLAB 7.3".ljust(124) + b"\0\2IM"])
def test_what_is_no_mat_is_refused(tmp_path, data):
    (tmp_path / "a.mat").write_bytes(data)
    with pytest.raises(UserError, match="expected a MATLAB file"):
        read_mat(tmp_path / "a.mat")


# Pickles.


def test_pickle_of_python_2_is_read(tmp_path):
    path = tmp_path / "a.pickle"
    path.write_bytes(  # What Python 2 wrote: strings of bytes, and integers as text.
        b"(dp0\nS'train'\np1\n(lp2\n(lp3\n(lp4\na(lp5\nI60\naI64\naaasS'valid'\np6\n(lp7\n(lp8\n"
        b"(I60\ntaasS'test'\np9\n(lp10\n(lp11\n(F60.0\ntaas."
    )
    splits = read_pickle(path)
    chord = roll_of([Note(60, 1, 2), Note(64, 1, 2)], 2)
    one = roll_of([Note(60, 0, 1)], 1)
    assert _same(splits, {"train": [chord], "valid": [one], "test": [one]})


class _Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


class _Stateful(dict):
    """Even an empty subclass of an allowed type is code that runs."""


@pytest.mark.parametrize("protocol", range(6))
def test_payload_is_refused_and_not_run(tmp_path, protocol):
    mark, path = tmp_path / "mark", tmp_path / "a.pickle"
    pieces = _note_lists({split: [_PIECE] for split in SPLITS})
    path.write_bytes(pickle.dumps(pieces | {"more": _Payload(mark)}, protocol))
    with pytest.raises(UserError, match="refused the pickle .* nothing of it was run"):
        read_pickle(path)
    assert not mark.exists()
    pickle.loads(path.read_bytes())  # It was a payload that works.
    assert mark.exists()


@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps(_Stateful()),
        pickle.dumps(np.arange(3)),
        b"(S'touch mark'\nios\nsystem\n.",
        b"cos\nsystem\n.",
        b"Pother\n.",
        b"\x80\x02U\x05otherQ.",
        b"\x80\x02\x82\x01.",
    ],
    ids=["subclass", "numpy", "inst", "global", "persistent 0", "persistent 2", "extension"],
)
def test_whatever_names_code_is_refused(tmp_path, data):
    path = tmp_path / "a.pickle"
    path.write_bytes(data)
    with pytest.raises(UserError, match="refused|cannot be read"):
        read_pickle(path)


_GOOD = {"train": [[[60]]], "valid": [[[60]]], "test": [[[60]]]}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "a dict of the lists train, valid, test .* got a list"),
        ({}, "of an empty dict"),
        ({"train": [], "test": []}, "got the keys test, train"),
        (_GOOD | {"valid": 3}, "a dict of the lists"),
        (_GOOD | {"valid": [[[60]], 60]}, "a list of steps in .* valid, piece 2; got a int"),
        (_GOOD | {"test": [[[60], 60]]}, "test, piece 1, step 2; got 60"),
        (_GOOD | {"test": [[[60], [20]]]}, r"from 21 to 108 in .* step 2; got \[20\]"),
        (_GOOD | {"test": [[[109]]]}, r"got \[109\]"),
        (_GOOD | {"test": [[[60.5]]]}, r"got \[60.5\]"),
        (_GOOD | {"test": [[[float("nan")]]]}, r"got \[nan\]"),
        (_GOOD | {"test": [[["60"]]]}, r"got \['60'\]"),
        (_GOOD | {"test": [[[True]]]}, r"got \[True\]"),
    ],
)
def test_pickle_of_something_else_is_refused(tmp_path, value, message):
    path = tmp_path / "a.pickle"
    path.write_bytes(pickle.dumps(value))
    with pytest.raises(UserError, match=message):
        read_pickle(path)


@pytest.mark.parametrize("data", [b"", b"hello", pickle.dumps(_GOOD)[:-9], b"." * 9])
def test_damaged_pickle_is_refused(tmp_path, data):
    path = tmp_path / "a.pickle"
    path.write_bytes(data)
    with pytest.raises(UserError, match="expected a pickle .* it cannot be read"):
        read_pickle(path)


# Rolls, and how they are dealt.


def test_notes_and_rolls_are_inverse():
    for roll in _random_rolls(20):
        notes = notes_of(roll)
        np.testing.assert_array_equal(roll_of(notes, len(roll)), roll)
        starts = roll & ~np.pad(roll, ((1, 0), (0, 0)))[:-1]
        assert len(notes) == starts.sum()  # Held notes are one.


def test_dealing_goes_by_content():
    rolls = _random_rolls(400)
    splits = deal(rolls)
    for split in SPLITS:
        assert all(split_of(roll.tobytes()) == split for roll in splits[split])
    assert sum(map(len, splits.values())) == len({roll.tobytes() for roll in rolls})
    assert 20 <= len(splits["valid"]) <= 60 and 20 <= len(splits["test"]) <= 60


@pytest.mark.parametrize("number", [3, 4, 7])
def test_few_pieces_leave_no_split_empty_in_any_order(number):
    rolls = _random_rolls(number, seed=number)
    splits = deal(rolls)
    assert all(splits.values()) and sum(map(len, splits.values())) == number
    contents = {split: {roll.tobytes() for roll in splits[split]} for split in SPLITS}
    again = deal(rolls[::-1] + rolls)
    assert contents == {split: {roll.tobytes() for roll in again[split]} for split in SPLITS}


def test_three_different_pieces_are_needed():
    rolls = _random_rolls(2)
    with pytest.raises(ValueError, match="at least 3 different rolls; got 2"):
        deal(rolls + rolls)


# Chorales.

_FILES = ("bwv66.6.mxl", "bwv269.mxl", "bwv277.krn", "bwv277.mxl", "bwv1.6.mxl", "bwv347.mxl")


@pytest.fixture
def few_chorales(monkeypatch, tmp_path):
    from music21 import corpus as music21_corpus

    corpus = {Path(path).name: Path(path) for path in music21_corpus.getComposer("bach")}
    files = [corpus[name] for name in _FILES] + [corpus["bwv66.6.mxl"]]
    monkeypatch.setattr(chorales, "_corpus_files", lambda: files)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "tf_latentflow"


def test_chorales_are_those_in_four_voices_and_kept(few_chorales, monkeypatch, capsys):
    music = load_music("chorales")
    rolls = [*music.train, *music.valid, *music.test]
    # Not the second version in another format, not the one with horns, bwv66.6 not twice.
    assert len(rolls) == 4
    assert capsys.readouterr().err == "chorales: parsed 7 of 7 files of music21\n"
    monkeypatch.setattr(chorales, "_parse_corpus", lambda: pytest.fail("parsed again"))
    assert load_music("chorales").sha256 == music.sha256
    assert len(list(few_chorales.iterdir())) == 1


def test_chorale_in_eighth_notes(few_chorales):
    roll = chorales._parse(chorales._corpus_files()[0])
    # Soprano c# b a b, alto e f# e, tenor a b c# b, bass a g# f# g#: two eighths, two quarters.
    chords = [set(np.flatnonzero(step) + 21) for step in roll[:6]]
    f_sharp_minor, e_major = {54, 61, 66, 69}, {56, 59, 64, 71}
    assert chords == [{57, 64, 73}, e_major, f_sharp_minor, f_sharp_minor, e_major, e_major]
    assert len(roll) == 72  # Nine bars of four quarters, the upbeat among them.


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut", None])
def test_damaged_cache_is_made_anew(few_chorales, monkeypatch, damage):
    monkeypatch.setattr(chorales, "_parse_corpus", lambda: _random_rolls(5))
    before = load_music("chorales").sha256
    (path,) = few_chorales.iterdir()
    good = path.read_bytes()
    if damage is None:
        np.savez(path, roll=_PIECE, lengths=[len(_PIECE) + 1])
    else:
        path.write_bytes(damage)
    assert load_music("chorales").sha256 == before
    assert path.read_bytes()[-100:] == good[-100:]


def test_cache_that_cannot_be_written_is_done_without(few_chorales, monkeypatch, capsys):
    few_chorales.write_text("a file where the folder would be")
    monkeypatch.setattr(chorales, "_parse_corpus", lambda: _random_rolls(5))
    assert len(load_music("chorales").train) == 3
    assert "chorales: not kept for the next run" in capsys.readouterr().err
