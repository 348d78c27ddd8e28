"""Sets of music in pickles, which are read without running anything in them."""

from __future__ import annotations

import pickle
import struct
import time
from pathlib import Path

import numpy as np
import pytest

from tests.music_files import PIECE, note_lists, same
from train.data.music.pickles import read_pickle
from train.data.music.rolls import Note, roll_of
from train.data.splits import SPLITS
from train.support.errors import UserError


def read(folder: Path, data: bytes) -> dict[str, list[np.ndarray]]:
    path = folder / "a.pickle"
    path.write_bytes(data)
    return read_pickle(path)


def test_pickle_of_python_2_is_read(tmp_path):
    splits = read(  # What Python 2 wrote: strings of bytes, and integers as text.
        tmp_path,
        b"(dp0\nS'train'\np1\n(lp2\n(lp3\n(lp4\na(lp5\nI60\naI64\naaasS'valid'\np6\n(lp7\n(lp8\n"
        b"(I60\ntaasS'test'\np9\n(lp10\n(lp11\n(F60.0\ntaas.",
    )
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
    with pytest.raises(UserError, match="refused the pickle .* no code in it was run"):
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
    with pytest.raises(UserError, match="refused|cannot be read"):
        read(tmp_path, data)


_GOOD = {"train": [[[60]]], "valid": [[[60]]], "test": [[[60]]]}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "a dict of the lists train, valid, test .* got a list"),
        ({}, "of an empty dict"),
        ({"train": [], "test": []}, "got the keys test, train"),
        (_GOOD | {"valid": 3}, "a dict of the lists"),
        (_GOOD | {"valid": [[[60]], 60]}, "a list of steps in .* valid, piece 2; got an int"),
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
    with pytest.raises(UserError, match=message):
        read(tmp_path, pickle.dumps(value))


@pytest.mark.parametrize("data", [b"", b"hello", pickle.dumps(_GOOD)[:-9], b"." * 9])
def test_damaged_pickle_is_refused(tmp_path, data):
    with pytest.raises(UserError, match="expected a pickle .* it cannot be read"):
        read(tmp_path, data)


# Small pickles that ask for much. All else in them is a set of music.


def _around(step):
    """A pickle of protocol 2 whose first step is made by these opcodes."""
    rest = b"".join(b"U" + bytes([len(s)]) + s + b"]]]K<aaa" for s in (b"valid", b"test"))
    return b"\x80\x02}(U\x05train]]" + step + b"aa" + rest + b"u."


def _doubled(number):
    """A pair of two pairs of two pairs ...: 2**number at the bottom, from a few bytes each."""
    double = (bytes([0x30, 0x68, i, 0x68, i, 0x86, 0x71, i + 1]) for i in range(number))
    return b")q\0" + b"".join(double)  # Each pops the pair before, and has it twice.


def _of_one_hash(number):
    """A key and a value; keys of all numbers have hash 0."""
    return b"\x8a\x0a" + (number * (2**61 - 1)).to_bytes(10, "little") + b"N"


_BIG = b"\x8b" + struct.pack("<l", 5000) + b"\x7f" * 5000
_REPEATED = (  # 30,000 pieces, the same, of 30,000 steps, the same, of 30,000 notes.
    b"\x80\x02}(U\x05train" + b"](" + b"K<" * 30000 + b"eq\0" + b"0](" + b"h\0" * 30000 + b"eq\1"
    b"0](" + b"h\1" * 30000 + b"e" + b"U\x05valid]]]K<aaaU\x04test]]]K<aaau."
)


def test_what_is_around_a_step_is_a_set(tmp_path):
    splits = read(tmp_path, _around(b"]K<a"))
    assert {split: len(rolls) for split, rolls in splits.items()} == dict.fromkeys(SPLITS, 1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_around(b"]" * 100_000 + b"a" * 99_999), r"got \[a list\]"),
        (_around(b"]" + b"(" * 100_000 + b"t" * 100_000 + b"a"), r"got \[a tuple\]"),
        # The hash of a tuple looks into it: the first ends the process that asks, the next never
        # does. Other keys have one hash: the time is the square of their number.
        (_around(b"}" + b"(" * 100_000 + b"t" * 100_000 + b"K<s"), "a dict with a tuple as a key"),
        (_around(b"]" + _doubled(200) + b"a"), r"got \[a tuple\]"),
        (_around(b"]" + _BIG + b"a"), r"got \[an int\]"),
        (_around(_BIG), "got an int"),
        (_around(b"}" + _doubled(200) + b"K<s"), "a dict with a tuple as a key"),
        (_around(b"(" + _doubled(200) + b"K<d"), "a dict with a tuple as a key"),
        (_around(b"(" + _doubled(200) + b"\x91"), "it asks for a set"),
        (_around(b"\x8f(" + _doubled(200) + b"\x90"), "it asks for a set"),
        (
            _around(b"}(" + b"".join(map(_of_one_hash, range(100_000))) + b"u"),
            "with an int as a key",
        ),
        (
            b"N" + b"".join(b"p%d\n" % (i * (2**61 - 1)) for i in range(60_000)) + b".",
            "a place that",
        ),
        (_around(b"]I" + b"9" * 100_000 + b"\na"), "Exceeds the limit"),
        (_around(b"]" + b"X" + struct.pack("<L", 10**6) + b"x" * 10**6 + b"a"), r"got \['x{20}'\]"),
        (
            b"\x80\x02}" + b"X" + struct.pack("<L", 10**6) + b"x" * 10**6 + b"K<s.",
            "the keys x{20};",
        ),
        (
            b"\x80\x02}(" + b"".join(b"U\x04%04dN" % i for i in range(9999)) + b"u.",
            r"keys 0000, 0001, 0002, 0003, \.\.\.",
        ),
        (_around(b"](" + b"K<" * 100_000 + b"K\x01e"), r"got \[60, 60, 60, 60, \.\.\.\]"),
        # More memory than there is: a place of its memory, a frame, a string.
        (b"\x80\x04Nr\xff\xff\xff\x7f.", "got a NoneType"),
        (b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"N.", "got a NoneType"),
        (b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"N.", "it cannot be read"),
        (b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"N.", "it asks for shared memory"),
        (_REPEATED, "at most 1,048,576 time steps .* got 900,000,002"),
        (pickle.dumps({split: [[[60]] * 2**19] for split in SPLITS}), "got 1,572,864"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value,
)
def test_a_hostile_pickle_is_one_line_soon(tmp_path, data, message):
    start = time.monotonic()
    with pytest.raises(UserError, match=message) as raised:
        read(tmp_path, data)
    assert time.monotonic() - start < 60
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 500


def test_a_step_that_stands_in_many_places_is_looked_at_once(tmp_path):
    piece = [[60] * 100_000] * 1000
    rolls = read(tmp_path, pickle.dumps({split: [piece] * 9 for split in SPLITS}, 2))["valid"]
    assert [roll.shape for roll in rolls] == [(1000, 88)] * 9
    assert all((np.flatnonzero(roll.sum(0)) == 60 - 21).all() for roll in rolls)
