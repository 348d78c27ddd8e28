"""A file that is read in a process of its own: what it answers, and how it may end."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from train.support import own_process
from train.support.errors import UserError
from train.support.own_process import read_in_own_process

READERS = {
    "echo": "return data + path.encode()",
    "modules": "return ' '.join(sys.modules).encode()",
    "refuse": "raise UserError(f'no music in {path!r}')",
    "fail": "raise ValueError('x' * 999)",
    "silent": "raise ValueError",
    "crash": "os.kill(os.getpid(), signal.SIGSEGV)",
    "leave": "os._exit(7)",
    "memory": "return bytes(2**31)",
    "grow": "\n    many = []\n    while True: many.append(bytes(2**20))",
    "hang": "time.sleep(60)",
    "loop": "\n    while True: pass",
    "noise": "sys.stderr.write('x' * 2**20); return b''",
}


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(tmp_path / "modules")
    (tmp_path / "modules").mkdir()
    for name, body in READERS.items():
        (tmp_path / "modules" / f"reader_{name}.py").write_text(
            "import os, signal, sys, time\n"
            "from train.support.errors import UserError\n"
            "from train.support.own_process import answer\n"
            f"def read(data, path):\n    {body}\n"
            "if __name__ == '__main__':\n    answer(read)\n"
        )
    path = tmp_path / "a file\n.bin"
    path.write_bytes(b"some bytes, ")
    return lambda name: read_in_own_process(f"reader_{name}", path, "music", "get it again")


def test_it_gets_the_bytes_and_the_path(read, tmp_path: Path) -> None:
    assert read("echo") == b"some bytes, " + str(tmp_path / "a file\n.bin").encode()
    assert read("noise") == b""


def test_it_finds_what_is_found_here_and_loads_no_tensorflow(read) -> None:
    modules = read("modules").decode().split()
    assert "train.support.own_process" in modules
    assert not {"tensorflow", "keras", "numpy"} & set(modules)
    assert sys.modules.get("reader_modules") is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("refuse", r"^no music in '.*a file\\n.bin'$"),
        ("fail", r"^expected music in '.*'; it cannot be read: x{200}; get it again$"),
        ("silent", "it cannot be read: ValueError; get"),
        ("crash", r"it cannot be read: its reader crashed \(Segmentation fault\); get"),
        ("leave", r"its reader crashed \(status 7\)"),
        ("memory", "it takes more than 1 GiB of memory"),
        ("grow", "it takes more than 1 GiB of memory"),
        ("absent", r"its reader crashed \(status 1\)"),
    ],
)
def test_how_it_ends_is_one_line(read, name: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as raised:
        read(name)
    assert "\n" not in str(raised.value)


def test_its_time_is_bounded(read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_process, "_SECONDS", 2)
    start = time.monotonic()
    with pytest.raises(UserError, match="it takes more than 2 seconds"):
        read("hang")
    assert time.monotonic() - start < 20


def test_its_time_on_a_processor_is_bounded(read, tmp_path: Path) -> None:
    # Its own copy of the module has the number.
    file = tmp_path / "modules" / "reader_loop.py"
    file.write_text(
        file.read_text().replace(
            "    answer(read)",
            "    from train.support import own_process\n"
            "    own_process._CPU_SECONDS = 1\n    answer(read)",
        )
    )
    with pytest.raises(UserError, match="it takes more than 20 seconds"):
        read("loop")


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_in_own_process("train.data.music.matlab", tmp_path / "a.mat", "music", "get it")
    with pytest.raises(IsADirectoryError):
        read_in_own_process("train.data.music.matlab", tmp_path, "music", "get it")
