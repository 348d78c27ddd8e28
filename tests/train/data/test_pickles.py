"""Sets of music in pickles, which are read without running anything in them."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from tests.music_files import PIECE, note_lists, same
from train.data.music.pickles import read_pickle
from train.data.music.rolls import Note, roll_of
from train.data.splits import SPLITS
from train.support.errors import UserError


def test_pickle_of_python_2_is_read(tmp_path):
    path = tmp_path / "a.pickle"
    path.write_bytes(  # What Python 2 wrote: strings of bytes, and integers as text.
        b"(dp0\nS'train'\np1\n(lp2\n(lp3\n(lp4\na(lp5\nI60\naI64\naaasS'valid'\np6\n(lp7\n(lp8\n"
        b"(I60\ntaasS'test'\np9\n(lp10\n(lp11\n(F60.0\ntaas."
    )
    splits = read_pickle(path)
    chord = roll_of([Note(60, 1, 2), Note(64, 1, 2)], 2)
    one = roll_of([Note(60, 0, 1)], 1)
    assert same(splits, {"train": [chord], "valid": [one], "test": [one]})


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
    pieces = note_lists({split: [PIECE] for split in SPLITS})
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
