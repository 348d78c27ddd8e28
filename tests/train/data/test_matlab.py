"""Sets of music in MATLAB files."""

from __future__ import annotations

import struct
import sys

import numpy as np
import pytest
import scipy.sparse

from tests.music_files import PIECE, write_mat
from train.data.music.matlab import read_mat
from train.support.errors import UserError


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"validdata": None}, "missing: validdata"),
        (
            {"traindata": [PIECE, PIECE[:, :87]]},
            r"traindata, piece 2; .*shape \[5, 87\]",
        ),
        ({"testdata": [PIECE * 2]}, "only 0 and 1 in .* testdata, piece 1"),
        ({"testdata": [PIECE + np.nan]}, "only 0 and 1 in .* testdata, piece 1"),
        ({"testdata": ["notes"]}, "testdata, piece 1; got str"),
        ({"testdata": np.zeros([5, 88])}, "cell array of piano rolls in .* testdata; got float64"),
    ],
)
def test_wrong_mat_is_refused(tmp_path, changes, message):
    write_mat(tmp_path / "a.mat", **changes)
    with pytest.raises(UserError, match=message):
        read_mat(tmp_path / "a.mat")


@pytest.mark.parametrize("dtype", [np.uint8, np.float64, bool, np.int32])
def test_mat_of_any_number_type_is_read(tmp_path, dtype):
    write_mat(tmp_path / "a.mat", testdata=[PIECE.astype(dtype)])
    (roll,) = read_mat(tmp_path / "a.mat")["test"]
    assert roll.dtype == np.uint8
    np.testing.assert_array_equal(roll, PIECE)


@pytest.mark.parametrize(
    ("compressed", "sizes"), [(False, (3, 127, 130, -200)), (True, (-300, -200))]
)
def test_a_mat_that_was_cut_short_is_refused(tmp_path, compressed, sizes):
    path = tmp_path / "a.mat"
    write_mat(path, compressed)
    good = path.read_bytes()
    for size in sizes:
        path.write_bytes(good[:size])
        with pytest.raises(UserError, match="MATLAB|missing"):
            read_mat(path)


@pytest.mark.parametrize("data", [b"", b"MATLAB?" * 99, b"MATLAB 7.3".ljust(124) + b"\0\2IM"])
def test_what_is_no_mat_is_refused(tmp_path, data):
    (tmp_path / "a.mat").write_bytes(data)
    with pytest.raises(UserError, match="expected a MATLAB file"):
        read_mat(tmp_path / "a.mat")


@pytest.mark.parametrize(
    ("position", "number"),
    [(208, 5), (236, 5), (240, 14), (736, 15), (1112, 6), (1204, 5)],  # Each crashes SciPy 1.17.
)
def test_a_mat_whose_damage_crashes_its_reader_is_one_line(tmp_path, position, number):
    path = tmp_path / "a.mat"
    write_mat(path)
    data = bytearray(path.read_bytes())
    data[position : position + 4] = struct.pack("<L", number)
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"a MATLAB file .*; it cannot be read: .*; get") as raised:
        read_mat(path)
    assert "\n" not in str(raised.value)


def test_a_mat_that_unpacks_to_too_much_is_one_line(tmp_path):
    path = tmp_path / "a.mat"
    write_mat(path, True, testdata=[np.zeros([2**20, 88], np.uint8)])  # 88 MiB.
    assert path.stat().st_size < 2**17
    with pytest.raises(UserError, match="at most 1,048,576 time steps in .*; got 1,048,590"):
        read_mat(path)


def test_sparse_matrices_are_read(tmp_path):
    path = tmp_path / "a.mat"
    empty = scipy.sparse.csc_matrix((4, 88))
    write_mat(path, testdata=[scipy.sparse.csc_matrix(PIECE.astype(float)), empty])
    rolls = read_mat(path)["test"]
    np.testing.assert_array_equal(rolls[0], PIECE)
    np.testing.assert_array_equal(rolls[1], np.zeros([4, 88]))


def test_scipy_alone_is_needed(tmp_path, monkeypatch):
    write_mat(tmp_path / "a.mat")
    for package in ("matplotlib", "mido", "music21"):
        monkeypatch.setitem(sys.modules, package, None)
    assert len(read_mat(tmp_path / "a.mat")["train"]) == 2
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(UserError, match=r"not installed: scipy; .*pip install '\.\[music\]'"):
        read_mat(tmp_path / "a.mat")
