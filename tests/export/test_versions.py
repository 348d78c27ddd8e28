from __future__ import annotations

import os

import pytest

from export.versions import check_version, new_version, version_folders
from train.support.errors import UserError


def test_the_next_free_version_is_taken(tmp_path):
    base = tmp_path / "model"
    assert check_version(base, None) == 1
    for name in ("2", "10", "junk", ".11-x", "٣", str(2**63)):
        (base / name).mkdir(parents=True)
    (base / "12").write_text("no folder")
    assert version_folders(base) == {2: base / "2", 10: base / "10"}
    assert check_version(base, None) == 11
    assert check_version(base, 3) == 3


@pytest.mark.parametrize("version", [0, -1, 2**63, 2, 12])
def test_a_version_that_is_there_or_none_is_refused(tmp_path, version):
    (tmp_path / "2").mkdir()
    (tmp_path / "12").write_text("no folder")
    with pytest.raises(UserError):
        check_version(tmp_path, version)


def test_no_version_comes_after_the_last(tmp_path):
    (tmp_path / str(2**63 - 1)).mkdir()
    with pytest.raises(UserError, match="--version expects a whole number from 1 to 9223372"):
        check_version(tmp_path, None)


def test_a_file_in_the_place_of_the_versions_is_refused(tmp_path):
    (tmp_path / "lm").touch()
    with pytest.raises(UserError, match="lm is a file and not a folder"):
        check_version(tmp_path / "lm", None)


@pytest.fixture
def private():
    """Files that a process makes are for its user alone."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_a_version_is_there_whole(tmp_path, private):
    left = tmp_path / "a" / "b" / ".tmp-0123-1-6"
    left.mkdir(parents=True)
    os.utime(left, (0, 0))
    with new_version(tmp_path / "a" / "b", 7) as folder:
        (folder / "x").write_text("y")
        assert not (tmp_path / "a" / "b" / "7").exists()
        assert not version_folders(folder.parent)  # A server passes over it.
    assert [p.name for p in (tmp_path / "a" / "b").iterdir()] == ["7"]
    version = tmp_path / "a" / "b" / "7"
    assert (version / "x").read_text() == "y"
    assert version.stat().st_mode & 0o777 == 0o755
    assert (version / "x").stat().st_mode & 0o777 == 0o644


def test_or_not_at_all(tmp_path):
    with pytest.raises(KeyboardInterrupt), new_version(tmp_path, 1) as folder:
        (folder / "x").write_text("y")
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_a_version_that_another_process_wrote_stays(tmp_path):
    with pytest.raises(UserError, match="another process"), new_version(tmp_path, 1) as folder:
        (folder / "x").write_text("mine")
        (tmp_path / "1").mkdir()
        (tmp_path / "1" / "x").write_text("theirs")
    assert (tmp_path / "1" / "x").read_text() == "theirs"
    assert [p.name for p in tmp_path.iterdir()] == ["1"]
