"""Sets of music in MATLAB files."""

from __future__ import annotations

import numpy as np
import pytest

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


@pytest.mark.parametrize("compressed", [False, True])
def test_a_mat_that_was_cut_short_is_refused(tmp_path, compressed):
    path = tmp_path / "a.mat"
    write_mat(path, compressed)
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
