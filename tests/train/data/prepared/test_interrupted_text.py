"""Preparations that are killed or damaged, whose source changes, or that run at the same time."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT
from tests.train.data.prepared.texts import (
    LINES,
    a_file,
    a_folder_of_files,
    folder_of,
    prepared,
)
from train.data.store.folder import PreparedFolder
from train.data.text.corpus import load_corpus
from train.support.errors import UserError

_KILLED = """
import os, signal, sys
from train.data.store.records import RecordWriter
from train.data.text import preparing
from train.data.text.corpus import load_corpus

preparing.BLOCK_BYTES, preparing.COMMIT_BYTES = 100, 8000
left, extend = int(sys.argv[2]), RecordWriter.extend


def extend_or_die(self, records, lengths):
    global left
    left -= 1
    extend(self, records, lengths)
    if left < 0:
        for file in self._files:
            file.flush()  # More is on the disk than was committed.
        os.kill(os.getpid(), signal.SIGKILL)


RecordWriter.extend = extend_or_die
load_corpus(sys.argv[1], most_in_memory=0)
"""


def kill(path: Path, call: int) -> None:
    """Prepares a text in a process that kills itself when it has written so many times."""
    program = [sys.executable, "-c", _KILLED, str(path), str(call)]
    assert subprocess.run(program, cwd=ROOT, check=False).returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("make", "calls"),
    [(a_file, [500, 0]), (a_folder_of_files, [700])],  # Some are committed; of the second none.
)
def test_a_killed_preparation_goes_on(
    make, calls: list[int], tmp_path: Path, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = make(tmp_path)
    whole = load_corpus(str(path))
    for call in calls:
        kill(path, call)
        (partial,) = cache.glob("*/")
        assert partial.suffix == ".partial"
        (partial / ".tmp-00000000-1-progress.json").touch()  # Killed while it wrote this.
        os.utime(partial / ".tmp-00000000-1-progress.json", (0, 0))
    corpus = prepared(path)
    assert not list(folder_of(cache).glob(".*"))
    assert corpus.sha256 == whole.sha256 and corpus.characters == whole.characters
    assert corpus.describe() == f"{whole.describe()}; read from {folder_of(cache)}"
    first, *others = capfd.readouterr().err.splitlines()
    assert first == "preparing" and others == ["resuming the preparation"] * len(calls)
    files = {p.name: p.read_bytes() for p in folder_of(cache).glob("*.txt*")}
    os.utime(path if path.is_file() else path / "a.txt")  # Anew, from the start.
    prepared(path)
    assert capfd.readouterr().err == "preparing\n"
    assert {p.name: p.read_bytes() for p in folder_of(cache).glob("*.txt*")} == files


def test_what_a_killed_preparation_left_is_not_trusted(
    tmp_path: Path, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = a_file(tmp_path)
    digest = load_corpus(str(path)).sha256
    kill(path, 500)
    partial = folder_of(cache)
    shutil.copytree(partial, tmp_path / "left")
    flipped = bytearray((partial / "train.txt").read_bytes())
    flipped[20] ^= 1
    contents = {"train.txt": b"", "valid.txt.index": b"x", "progress.json": b"{}"}
    for name, content in (*contents.items(), ("train.txt", flipped), ("test.txt.lengths", None)):
        shutil.rmtree(folder_of(cache))
        shutil.copytree(tmp_path / "left", partial)
        (partial / name).unlink() if content is None else (partial / name).write_bytes(content)
        assert prepared(path).sha256 == digest
    assert "resuming" not in capfd.readouterr().err


@pytest.mark.parametrize("name", ["train.txt", "valid.txt.index", "test.txt.lengths"])
@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_damage_is_refused_by_file(name: str, damage: str, tmp_path: Path, cache: Path) -> None:
    path = a_file(tmp_path)
    prepared(path)
    file = folder_of(cache) / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data if damage == "flipped" else data[:-1])
    if damage == "gone":
        file.unlink()
    with pytest.raises(
        UserError, match=rf"its file {name} is damaged; delete this folder"
    ) as error:
        prepared(path)
    assert str(folder_of(cache)) in str(error.value) and "\n" not in str(error.value)


def _cut(text: str) -> str:
    return text[:30]


def _with_other_digits(text: str) -> str:
    return text.translate(str.maketrans("01", "10"))


@pytest.mark.parametrize(
    "damaged", [_cut, _with_other_digits, lambda _: '{"files": [], "facts": 1}']
)
def test_damage_of_the_facts_is_refused(damaged, tmp_path: Path, cache: Path) -> None:
    path = a_file(tmp_path)
    prepared(path)
    facts = folder_of(cache) / "prepared.json"
    facts.write_text(damaged(facts.read_text()))
    with pytest.raises(UserError, match=r"prepared\.json is damaged"):
        prepared(path)


def test_a_folder_in_place_of_a_file_is_damage(tmp_path: Path, cache: Path) -> None:
    path = a_file(tmp_path)
    prepared(path)
    file = folder_of(cache) / "train.txt"
    file.unlink()
    file.mkdir()
    with pytest.raises(UserError, match=r"train\.txt is damaged; delete this folder"):
        prepared(path)


def test_a_file_in_place_of_the_folder_is_to_be_removed(tmp_path: Path, cache: Path) -> None:
    path = a_file(tmp_path)
    prepared(path)
    folder = folder_of(cache)
    shutil.rmtree(folder)
    folder.write_text("a file")
    with pytest.raises(UserError, match=rf"'{folder}' \(File exists\): remove what is there"):
        prepared(path)


def test_a_cache_without_the_right_to_write_says_so(tmp_path: Path) -> None:
    path = a_file(tmp_path)

    def refuse(place: Path) -> dict[str, Any]:
        raise PermissionError(errno.EACCES, "Permission denied", str(place / "train.txt"))

    with pytest.raises(UserError, match=r"train\.txt' \(Permission denied\): allow this user to"):
        PreparedFolder(path, [path], {}, refuse).open()


@pytest.mark.parametrize(("old", "new"), [('"train": ', '"train": 1'), ('"position": [', "0, [")])
def test_changed_progress_is_not_trusted(
    old: str, new: str, tmp_path: Path, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = a_file(tmp_path)
    digest = load_corpus(str(path)).sha256
    kill(path, 500)
    progress = folder_of(cache) / "progress.json"
    progress.write_text(progress.read_text().replace(old, new))
    assert prepared(path).sha256 == digest
    assert "resuming" not in capfd.readouterr().err


def test_a_file_that_is_cut_while_it_is_read_is_refused(tmp_path: Path, cache: Path) -> None:
    corpus = prepared(a_file(tmp_path))
    os.truncate(folder_of(cache) / "train.txt", 100)
    with pytest.raises(UserError, match="it was truncated or changed after it was opened"):
        list(corpus.train)


def test_changed_data_are_prepared_anew(
    tmp_path: Path, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = a_file(tmp_path)
    first = prepared(path)
    left = folder_of(cache).with_name(".tmp-0123-1-old")
    left.touch()
    os.utime(left, (0, 0))
    os.utime(path)
    assert prepared(path).sha256 == first.sha256
    assert capfd.readouterr().err == "preparing\n" * 2
    assert not left.exists()
    content = path.read_bytes()
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_bytes(content.replace(b"number 5 ", b"number 6 "))  # Of the same size,
    os.utime(path, ns=times)  # and as if it were as old.
    assert prepared(path).sha256 != first.sha256
    assert list(first.train)[0] == LINES[0].strip()  # Who reads the old still does.
    folder_of(cache)  # There is one.


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, cache: Path) -> None:
    path = a_file(tmp_path)
    folder = PreparedFolder(path, [path], {}, lambda _: {"size": path.write_text("more")})
    with pytest.raises(UserError, match="changed while it was being read"):
        folder.open()
    assert [p.suffix for p in cache.glob("*/")] == [".partial"]
    folder = PreparedFolder(path, [path], {}, lambda place: {"left": len(list(place.iterdir()))})
    assert folder.open() == {"left": 1}


def test_two_processes_prepare_once(
    tmp_path: Path, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path, found = a_file(tmp_path), []
    threads = [
        threading.Thread(target=lambda: found.append(prepared(path).sha256)) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3 and len(set(found)) == 1
    # The end of a line is a write of its own, so another thread's line may come before it.
    assert len(re.findall("preparing(?![ :])", capfd.readouterr().err)) == 1
