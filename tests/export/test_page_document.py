"""The page as a server sends it: one file, its headers, and nothing else of its folder."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from export.page.document import page_for
from export.serving.local_server import LocalServer
from tests.local_servers import http_of, running
from tests.paths import ROOT
from tests.served import Answer
from tests.served_model import write_model

FOLDER = ROOT / "export" / "page"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with running(write_model(tmp_path_factory.mktemp("served") / 'a"b')) as server:
        yield server


def ask(server: LocalServer, method: str, path: str) -> Answer:
    with http_of(server) as http:
        return http.ask(method, path)


def test_the_page_is_one_file_that_may_run_its_own_scripts_alone(server: LocalServer) -> None:
    response = ask(server, "GET", "/")
    page = response.body.decode()
    assert (response.status, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "connect-src 'self'" in policy
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        parts = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        files = {"script": FOLDER.rglob("*.js"), "style": FOLDER.rglob("*.css")}[tag]
        contents = {"\n" + file.read_text(encoding="utf-8") for file in files}
        assert set(parts) == contents
        for part in parts:
            digest = base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page)
    assert not re.search(r"https?://(?!127\.0\.0\.1|HOST)", page)  # It asks nobody else.
    assert '<meta name="model" content="v1/models/a%22b">' in page


def test_head_is_get_without_the_body(server: LocalServer) -> None:
    get, head = ask(server, "GET", "/"), ask(server, "HEAD", "/")
    assert head.status == 200 and head.body == b"" and get.body
    for name in ("Content-Type", "Content-Length", "Content-Security-Policy", "Cache-Control"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize(
    "path",
    ["/index.html", "/style.css", "/main.js", "/../setup.py", "/..%2fsetup.py", "//", "/page/"],
)
def test_no_other_file_is_sent(server: LocalServer, path: str) -> None:
    response = ask(server, "GET", path)
    assert response.status == 404 and b"error" in response.body
    assert response.headers["Content-Type"] == "application/json"


def test_only_get_and_head_have_the_page(server: LocalServer) -> None:
    assert ask(server, "POST", "/").status == 404


def test_the_name_of_a_model_is_no_markup() -> None:
    page = page_for('http://a/"><script>x</script>').html.decode()
    assert "<script>x" not in page and "&lt;script&gt;x&lt;/script&gt;" in page


def test_every_file_of_the_page_is_named_in_it_and_opens_without_a_server() -> None:
    page = (FOLDER / "index.html").read_text(encoding="utf-8")
    named = set(re.findall(r'(?:src|href)="([^":]+)"', page)) - {"data:,"}
    files = [file for suffix in ("css", "js") for file in FOLDER.rglob(f"*.{suffix}")]
    assert named == {file.relative_to(FOLDER).as_posix() for file in files}


def test_scripts_are_small() -> None:
    for file in (*FOLDER.rglob("*.js"), *FOLDER.rglob("*.css")):
        lines = Path(file).read_text(encoding="utf-8").splitlines()
        assert len(lines) < 250, file
