"""Files and folders that are complete or absent, and on the disk before they get their names."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest

from train.data.store.records import Records, RecordWriter
from train.data.store.stored import Stored
from train.support.errors import UserError
from train.support.files import (
    clear_leftovers,
    read_json,
    whole_file,
    whole_folder,
    write_checked_json,
    write_json,
)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What has been flushed, by name, and when something was renamed."""
    done: list[str] = []
    calls = {"replace": os.replace, "rename": os.rename}
    for name, call in calls.items():
        renamed = lambda old, new, call=call: done.append("renamed") or call(old, new)  # noqa: E731
        monkeypatch.setattr(os, name, renamed)
    name_of = lambda handle: Path(os.readlink(f"/proc/self/fd/{handle}")).name  # noqa: E731
    monkeypatch.setattr(os, "fsync", lambda handle: done.append(name_of(handle)))
    return done


def test_a_file(done: list[str], tmp_path: Path) -> None:
    with whole_file(tmp_path / "a") as temporary:
        temporary.touch()
    assert done == [temporary.name, "renamed", tmp_path.name]


def test_a_folder(done: list[str], tmp_path: Path) -> None:
    with whole_folder(tmp_path / "a") as temporary:
        (temporary / "b").mkdir()
        (temporary / "b" / "c").touch()
    assert done == [temporary.name, "c", "b", "renamed", tmp_path.name]


def test_records(done: list[str], tmp_path: Path) -> None:
    with RecordWriter(tmp_path / "a") as writer:
        writer.extend([b"x"], [1])
        assert writer.commit() == 1
        digests = writer.digests
        writer.extend([b"later"], [5])
    assert done == ["a", "a.index", "a.lengths"]
    RecordWriter(tmp_path / "a", 1, digests).__exit__(None, None, None)  # Without what came later.
    assert [path.stat().st_size for path in sorted(tmp_path.iterdir())] == [1, 16, 4]


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        ("", b"cut"),
        (".index", bytes(16)),
        (".index", np.int64([-1, 3, 6, 9]).tobytes()),
        (".index", np.int64([0, 6, 3, 9]).tobytes()),
    ],
    ids=["cut", "index cut", "index below 0", "index descends"],
)
def test_records_that_have_changed(suffix: str, content: bytes, tmp_path: Path) -> None:
    with RecordWriter(tmp_path / "a") as writer:
        writer.extend([b"one", b"two", b"six"], [3, 3, 3])
    records = Records(tmp_path / "a")
    assert records.read(2) == b"six"
    (tmp_path / f"a{suffix}").write_bytes(content)
    with pytest.raises(UserError, match="truncated or changed after it was opened"):
        list(records.read_in_turn(range(3)))


def test_a_block_that_fails_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    for whole in (whole_file, whole_folder):
        with pytest.raises(KeyError), whole(tmp_path / "a") as temporary:
            temporary.touch()
            raise KeyError
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_folder_takes_the_place_of_another_or_that_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.mkdir()
    for name in ("first", "second"):
        with whole_folder(path, replace=True) as temporary:
            (temporary / name).touch()
        assert list(tmp_path.rglob("*")) == [path, path / name]
    rename, fails = os.rename, iter([False, True, False])  # The new one does not get its name.

    def may_fail(old: Path, new: Path) -> None:
        if next(fails):
            raise OSError
        rename(old, new)

    monkeypatch.setattr(os, "rename", may_fail)
    with pytest.raises(OSError), whole_folder(path, replace=True):
        pass
    assert list(tmp_path.rglob("*")) == [path, path / "second"]


def test_json_is_text_that_any_reader_knows(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write_json(tmp_path / "a", math.nan)
    assert not list(tmp_path.iterdir())
    write_json(tmp_path / "a", "é")
    assert (tmp_path / "a").read_text(encoding="utf-8") == '"é"\n'


def test_what_processes_have_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def of_another_user(process: int, number: int) -> None:
        raise PermissionError

    with whole_file(tmp_path / "a") as own:
        own.touch()
    (tmp_path / "a").unlink()
    running = own.with_name(own.name.replace(f"-{os.getpid()}-", "-1-"))
    for path in (own, running):
        path.touch()
    monkeypatch.setattr(os, "kill", of_another_user)
    clear_leftovers(tmp_path)  # An earlier process had this one's number.
    assert list(tmp_path.iterdir()) == [running]


@pytest.mark.parametrize(
    "part", [slice(1, 4), slice(-2, None), slice(None, None, 2), slice(None, None, -1)], ids=str
)
def test_a_part_of_what_is_stored(part: slice, tmp_path: Path) -> None:
    pieces = [b"o" * length for length in (3, 1, 5, 4, 2)]
    with RecordWriter(tmp_path / "a") as writer:
        writer.extend(pieces, [*map(len, pieces)])
    found = Stored(Records(tmp_path / "a"), bytes)[part]
    assert [*found] == [found[i] for i in range(len(found))] == pieces[part]
    assert found.lengths.tolist() == [*map(len, pieces[part])]
    assert [*found.up_to(3)] == [piece for piece in pieces[part] if len(piece) <= 3]


def test_what_has_changed_since_its_checksum_is_no_json(tmp_path: Path) -> None:
    path, values = tmp_path / "a.json", {"é": [1.5, (2,)], "sha256": "x", "b": None}
    write_checked_json(path, values)
    assert read_json(path) == {**values, "é": [1.5, [2]]}
    for old, new in (("1.5", "1.7"), ('"b"', '"c"')):
        path.write_text(path.read_text().replace(old, new))
        with pytest.raises(ValueError, match="its checksum is wrong"):
            read_json(path)
        write_checked_json(path, values)
    path.write_text(path.read_text().replace('"checksum"', '"checksun"'))
    assert read_json(path)["b"] is None
