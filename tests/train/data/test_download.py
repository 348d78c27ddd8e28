"""Downloads, against a server of this machine."""

import hashlib
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tf_latentflow.pretrained.download import cache_dir
from train.data.download import fetch
from train.data.text.corpus import load_corpus
from train.data.text.releases import RELEASES, Release
from train.support.errors import UserError, run_program

_FILES = {f"/ptb.{split}.txt": f"{split} text\n".encode() for split in ("train", "valid", "test")}
_SHA256 = {path: hashlib.sha256(content).hexdigest() for path, content in _FILES.items()}


class _Server(ThreadingHTTPServer):
    """Serves `_FILES`; a path beneath /short promises more bytes than it sends."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        content = _FILES.get(self.path.removeprefix("/short"))
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        missing = 5 if self.path.startswith("/short") else 0
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) - missing])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with _Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_fetches_once(server: _Server, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "train.txt"
    for _ in range(2):
        assert fetch(server.url + "/ptb.train.txt", path, _SHA256["/ptb.train.txt"]) == path
    assert path.read_bytes() == b"train text\n"
    assert server.requests == ["/ptb.train.txt"]
    assert os.listdir(path.parent) == ["train.txt"]


def test_a_damaged_file_in_the_cache_is_fetched_again(server: _Server, tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_bytes(b"train te")
    fetch(server.url + "/ptb.train.txt", path, _SHA256["/ptb.train.txt"])
    assert path.read_bytes() == b"train text\n"


@pytest.mark.parametrize(
    ("url", "sha256", "message"),
    [
        (
            "/ptb.train.txt",
            "0" * 64,
            r"refused .* expected sha256 0{64}; got [0-9a-f]{64}; my cure",
        ),
        ("/short/ptb.train.txt", _SHA256["/ptb.train.txt"], r"after 6 of 11 bytes\); my cure"),
        ("/nosuch", "0" * 64, r"could not download .*404.*; my cure"),
    ],
)
def test_a_bad_download_leaves_nothing(
    server: _Server, tmp_path: Path, url: str, sha256: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        fetch(server.url + url, tmp_path / "train.txt", sha256, cure="my cure")
    assert os.listdir(tmp_path) == []


def test_a_server_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(UserError, match="could not download"):
        fetch("http://127.0.0.1:9/train.txt", tmp_path / "train.txt", "0" * 64)
    assert os.listdir(tmp_path) == []


def test_cache_dir_follows_xdg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_dir() == tmp_path / "tf_latentflow"
    for ignored in ("", "relative/folder"):
        monkeypatch.setenv("XDG_CACHE_HOME", ignored)
        assert cache_dir() == Path.home() / ".cache" / "tf_latentflow"


def test_a_user_without_home_is_told_what_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", home)
    with pytest.raises(SystemExit):
        run_program(lambda: load_corpus("ptb"))
    expected = "error: cannot use '~': there is no home folder; set HOME or XDG_CACHE_HOME\n"
    assert capsys.readouterr().err == expected


def test_ptb_comes_from_the_cache_the_second_time(
    server: _Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    splits = {split: _SHA256[f"/ptb.{split}.txt"] for split in ("train", "valid", "test")}
    monkeypatch.setitem(RELEASES, "ptb", Release(server.url + "/ptb.{split}.txt", splits))
    first = load_corpus("ptb")
    assert (first.train, first.valid, first.test) == (["train text"], ["valid text"], ["test text"])
    assert load_corpus("ptb") == first
    assert server.requests == list(_FILES)
